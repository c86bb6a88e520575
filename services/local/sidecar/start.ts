import { type Api, answer } from './api.ts';
import { type Control, serveControl } from './control.ts';
import { startDelivery } from './delivery.ts';
import { FaultError, type Faults } from './faults.ts';
import { openLog } from './log.ts';
import { type Manifests, readManifests, topicsOf } from './manifests.ts';
import { type App, createSidecars } from './sidecar.ts';
import { describeState, type State } from './state.ts';

const DELIVERY_GRACE_MS = 5000;

export type StandIn = Awaited<ReturnType<typeof startSidecars>>;

export type Options = {
  /** A database of its own; the schema is made here. */
  databaseUrl: string;
  apps: App[];
  /** Folder of the four manifests, or what `readManifests` made of it (tests shorten its waits). */
  resources: string | Manifests;
  /** What an app must send to its sidecar, and the sidecar to its app, as `dapr-api-token`. */
  daprApiToken?: string | null;
  appApiToken?: string | null;
  /** The switchboard; port 0 takes any. Without it there is none. */
  control?: Control;
  report?: (message: string, fields: object) => void;
};

/**
 * Stands in for Dapr and Kafka on one machine: a sidecar for each of `apps` on loopback, one durable log behind them.
 * Delivery is at least once, in order per key. Throws ManifestError, or when the database or a port is not to be had.
 */
export async function startSidecars({
  databaseUrl,
  apps,
  resources,
  daprApiToken = null,
  appApiToken = null,
  control: wanted,
  report = () => {},
}: Options) {
  const manifests = typeof resources === 'string' ? await readManifests(resources) : resources;
  const { pubsub, subscriptions } = manifests;
  const topics = topicsOf(manifests);
  const readers = subscriptions.flatMap(({ topic, appIds }) =>
    appIds.map((appId) => ({ appId, topic, initialOffset: pubsub.initialOffset })),
  );
  const log = await openLog(databaseUrl, topics, readers);

  const api: Api = {
    manifests,
    publishing: { pubsub, topics, log },
    sidecars: () => sidecars,
    daprApiToken,
    appApiToken,
  };
  const sidecars = createSidecars(apps, (sidecar, request) => answer(api, sidecar, request));
  const delivery = startDelivery(manifests, log, sidecars, { appApiToken, report });
  let control: ReturnType<typeof serveControl> | null = null;
  try {
    for (const sidecar of sidecars.all) sidecar.open();
    if (wanted) control = serveControl(wanted, { state, setFaults });
  } catch (error) {
    await stop(); // A port that is taken: nothing of the others stays open.
    throw error;
  }

  function state(): State {
    return describeState(sidecars, log, delivery, subscriptions);
  }

  /** For one replica (counted from 0) or all of the app. Throws FaultError when there is none. */
  function setFaults(appId: string, faults: Partial<Faults>, replica?: number): void {
    const replicas = sidecars.of(appId).filter((_, i) => replica === undefined || i === replica);
    if (!replicas.length) throw new FaultError(`there is no sidecar of ${appId}`);
    for (const sidecar of replicas) sidecar.setFaults(faults);
  }

  /** `crash` drops everything as a killed process does; otherwise deliveries under way may end first. */
  async function stop({ crash = false } = {}): Promise<void> {
    await control?.stop(true);
    await delivery.stop(crash ? 0 : DELIVERY_GRACE_MS);
    for (const sidecar of sidecars.all) sidecar.close();
    await log.close({ crash });
  }

  return {
    state,
    setFaults,
    stop,
    controlPort: control?.port ?? null,
    /** Where that app reaches its sidecar: `DAPR_HTTP_PORT`. */
    port(appId: string, replica = 0): number {
      const sidecar = sidecars.of(appId)[replica];
      if (!sidecar) throw new FaultError(`there is no sidecar of ${appId}`);
      return sidecar.httpPort;
    },
  };
}
