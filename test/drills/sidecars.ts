import { type AppId, apps } from '../../services/local/machine/apps.ts';
import type { Drill } from './drill.ts';

const DOWN_MS = 3000;

/** Its partitions are silent until Kafka gives the killed member up, 10 s later. */
const killed = (appId: AppId): Drill => ({
  name: `daprd-killed-${appId}`,
  about: `one of two sidecars of ${appId} is killed, and started after ${DOWN_MS / 1000} s`,
  seconds: 30,
  replicas: { [appId]: 2 },
  async run({ stack }) {
    await stack.sidecars.killSidecar(appId);
    await Bun.sleep(DOWN_MS);
    await stack.sidecars.startSidecar(appId);
  },
});

export const sidecarDrills = apps.map(({ appId }) => killed(appId));
