import { createSidecar } from '#shared/dapr';
import type { TaskEvent } from '#shared/events';
import { createLog } from '#shared/log';
import { createLoop } from '#shared/loop';
import { createMetrics } from '#shared/metrics';
import type { TestDatabase } from '../../../test/support/database.ts';
import { publishAnswer, readPublish } from '../../../test/support/published.ts';
import { factsOf, taskOf } from '../../../test/support/task.ts';
import { createRelay } from './relay.ts';

// For the tests of this folder: the outside of a sidecar, and rows as a change would have written them.

export type Arrival = { event_id: string; task_id: string; task_version: number; traceparent: string | null };

/**
 * A sidecar's publish endpoint, of single events and in bulk. `answer` gives the status for an event, or null to leave the
 * caller waiting; what was accepted stands in `arrivals`, in order.
 */
export function startSidecarEdge() {
  const arrivals: Arrival[] = [];
  const edge = {
    arrivals,
    calls: 0,
    peak: 0,
    largest: 0,
    answer: (_event: TaskEvent): number | null | Promise<number | null> => 204,
  };
  let inFlight = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      edge.calls += 1;
      edge.peak = Math.max(edge.peak, ++inFlight);
      const published = await readPublish(request);
      edge.largest = Math.max(edge.largest, published.length);
      const given = await Promise.all(published.map(({ event }) => edge.answer(event)));
      const statuses = given.filter((status) => status !== null);
      if (statuses.length < given.length) await Promise.withResolvers<void>().promise;
      inFlight -= 1;
      const answer = publishAnswer(published, statuses);
      const isWhole = answer.status === 204 || statuses.every((status) => status === 204 || status >= 500);
      for (const [i, { event, metadata }] of published.entries()) {
        const { event_id, task_id, task_version } = event;
        const traceparent = metadata['cloudevent.traceparent'] ?? null;
        if (isWhole && statuses[i] === 204) arrivals.push({ event_id, task_id, task_version, traceparent });
      }
      return answer;
    },
  });
  return Object.assign(edge, { port: server.port ?? 0, stop: () => server.stop(true) });
}

/** A relay of chat-api that publishes to this port, and what it logged. */
export async function startRelay(database: TestDatabase, port: number, { publishMs = 5000 } = {}) {
  const lines: { message: string; reason?: string }[] = [];
  const sidecar = await createSidecar({ port, apiToken: '', publishMs });
  const metrics = createMetrics('chat-api', { version: 'test', commit: 'test' });
  const log = createLog('chat-api', { write: (line) => void lines.push(JSON.parse(line)) });
  const relay = createRelay({ url: database.url('chat-api'), sidecar, log, metrics });
  const { start, stop } = createLoop(relay.job, log);
  return {
    ...relay,
    metrics,
    lines,
    start,
    async stop() {
      await stop();
      await relay.close();
      await sidecar.stop();
    },
  };
}

/** Writes `versions` created and updated events for each of `tasks` tasks, interleaved. @returns the ids of the tasks */
export async function writeEvents(database: TestDatabase, { tasks = 1, versions = 1 } = {}): Promise<string[]> {
  const ids = Array.from({ length: tasks }, () => crypto.randomUUID());
  const events = Array.from({ length: versions }, (_, i) => ids.map((id) => eventOf(id, i + 1))).flat();
  await database.sql`
    insert into outbox (event_id, event_type, task_id, task_version, event, traceparent)
    select (event ->> 'event_id')::uuid, event ->> 'event_type', (event ->> 'task_id')::uuid, (event ->> 'task_version')::int,
      event, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    from jsonb_array_elements(${database.sql.json(events as never)}) as event`;
  return ids;
}

function eventOf(taskId: string, version: number): TaskEvent {
  const title = `Version ${version}`;
  const task = taskOf({ id: taskId, title, version }, '2026-11-24T10:00:00.000Z');
  const facts = { ...factsOf(task), task };
  if (version === 1) return { event_type: 'task.created', ...facts };
  return { event_type: 'task.updated', ...facts, changes: { title: { old: 'before', new: title } } };
}
