import type { Plan } from './simulation.ts';

/** What one change costs, from its request to three consumers, measured while others come too. */
export type Costs = {
  /** Of a processor, ms by process; Postgres with all its processes. */
  cpu: Record<(typeof processes)[number], number>;
  /** From a commit's wish to its fsync's end, ms, when nobody else commits. */
  commitMs: number;
};

export const processes = [
  'chat-api',
  'notification-service',
  'reminder-service',
  'audit-logger',
  'stand-in',
  'Postgres',
] as const;

/** Medians of `bun run bench scaling`, at 150 changes a second, on two shared processors (AMD EPYC), Bun 1.4.5, PostgreSQL 18; see `gitops/SCALING.md`. */
export const measured: Costs = {
  cpu: {
    'chat-api': 1.513,
    'notification-service': 0.66,
    'reminder-service': 0.267,
    'audit-logger': 0.233,
    'stand-in': 0.833,
    Postgres: 2.16,
  },
  commitMs: 0.271,
};

/** Copies of each service, and partitions of each topic (`gitops/data/base/topics.yaml`). `cores`: null when each has its own. */
export type Size = { replicas: number; partitions: number; cores: number | null; databaseCores: number };

/** Statements of a change: the request's, the relay's marks and one of each consumer. Postgres's time is not told apart. */
const STATEMENTS = 5;
/** What the stand-in does with a change: takes it, and gives it to three. */
const TURNS = 4;
/** Of chat-api's time for a change the request's part; the rest is the relay's. Assumed: they are one process. */
const REQUEST_SHARE = 0.7;

/**
 * The way of a change as the simulation takes it. `callerMs`: what the load generator itself takes of the processors for a
 * request, where it shares them. Each process of ours runs on one thread, so it works on one change at a time.
 */
export function planOf(
  { cpu, commitMs }: Costs,
  { replicas, partitions, cores, databaseCores }: Size,
  callerMs = 0,
): Plan {
  const postgres = { name: 'Postgres', servers: databaseCores, ms: cpu.Postgres / STATEMENTS };
  const disk = { name: 'disk', servers: 1000, ms: commitMs, waits: true as const }; // group commit: they wait together
  const standIn = { name: 'stand-in', servers: replicas, ms: cpu['stand-in'] / TURNS };
  const service = (name: (typeof processes)[number], share = 1) => ({ name, servers: replicas, ms: cpu[name] * share });
  // Of a topic's consumers no more work than it has partitions.
  const consumer = (name: (typeof processes)[number]) => [
    standIn,
    { ...service(name), servers: Math.min(replicas, partitions) },
    postgres,
    disk,
  ];
  return {
    request: [
      ...(callerMs > 0 ? [{ name: 'caller', servers: 1, ms: callerMs }] : []),
      service('chat-api', REQUEST_SHARE),
      postgres,
      disk,
    ],
    publish: [service('chat-api', 1 - REQUEST_SHARE), standIn, postgres],
    consumers: [
      [
        ...consumer('notification-service'),
        { name: 'counter', servers: 1, ms: commitMs, waits: true, apart: 'person' },
      ],
      consumer('reminder-service'),
      consumer('audit-logger'),
    ],
    partitions,
    cores,
  };
}
