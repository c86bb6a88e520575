import type { AppId } from '../../services/local/machine/apps.ts';
import type { World } from './world.ts';

/** A fault, and what it needs around it. The same accounts are asked of each. */
export type Drill = {
  name: string;
  /** What happens, in one line of `--help`. */
  about: string;
  /** What it takes from start to verdict on two cores: `--of-commit` leaves the longest out. */
  seconds: number;
  /** Default: one of each service. */
  replicas?: Partial<Record<AppId, number>>;
  /** Environment beyond that of a cluster, for each service. */
  settings?: Partial<Record<AppId, Record<string, string>>>;
  /** How many create tasks and listen; default 40. */
  people?: number;
  /** Something that can play a service in trouble stands between each sidecar and its service. */
  withEdges?: true;
  /** False: services and sidecars start without Kafka, and `run` starts it. */
  brokerAtStart?: false;
  /** Three brokers, with each record on all of them, in place of one. */
  severalBrokers?: true;
  /**
   * How requests may fail, where the fault is one of chat-api itself or of its database: by a status or the code of an
   * error. Default: none fails.
   */
  mayRefuse?: ('503' | 'ECONNRESET')[];
  /** The drill makes its own events: no load beside it. */
  withoutLoad?: true;
  /** Nobody listens on a stream. */
  withoutStreams?: true;
  /** It freezes processes by their place in /proc. */
  linuxOnly?: true;
  /** How long after the fault everything must be in its place; default 150 s. */
  settleMs?: number;
  /** Begins the fault and mends it; resolves when it is over. The load goes on meanwhile. */
  run(world: World, say: (line: string) => void): Promise<void>;
  /** What is wrong beyond the accounts, in words; called when everything is settled. */
  judge?(world: World, say: (line: string) => void): string[];
};
