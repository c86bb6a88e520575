import type { Drill } from './drill.ts';

const STOPPED_MS = 20_000;
const PAUSED_MS = 60_000;

const stopped: Drill = {
  name: 'postgres-stopped',
  about: `Postgres is stopped, and started after ${STOPPED_MS / 1000} s`,
  seconds: 60,
  mayRefuse: ['503'], // CONTRACT 10
  async run({ server }) {
    await server.stop();
    await Bun.sleep(STOPPED_MS);
    await server.start();
  },
};

const paused: Drill = {
  name: 'postgres-paused',
  about: `Postgres is frozen with its connections open, and goes on after ${PAUSED_MS / 1000} s`,
  seconds: 110,
  mayRefuse: ['503'], // CONTRACT 10
  linuxOnly: true,
  async run({ server }) {
    await server.pause();
    await Bun.sleep(PAUSED_MS);
    await server.resume();
  },
};

export const databaseDrills = [stopped, paused];
