import { codeOf } from '../../services/local/machine/refusal.ts';
import { percentile } from '../bench/figures.ts';
import type { Person } from '../support/person.ts';
import type { EventType } from '#shared/events';
import type { Balancer } from './balancer.ts';

/** What an answer promised: this task has this version by an event of this type. A deletion tells no version. */
export type Promised = { taskId: string; type: EventType; version?: number };

export type Load = ReturnType<typeof startLoad>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A client that waits longer gives up. */
const PATIENCE_MS = 20_000;

/**
 * Creates tasks at `rate` a second, whether or not earlier ones were answered (open loop), through the replicas of
 * chat-api in turn. Of twenty tasks one is changed three times at once, one completed, one deleted, two have a reminder
 * that fires immediately, so that all five topics carry events, and one recurs, so that the processor has work.
 */
export function startLoad({ rate, people, chat }: { rate: number; people: Person[]; chat: Balancer }) {
  const promised: Promised[] = [];
  const unanswered: string[] = [];
  const lateMs: number[] = [];
  const running = new Set<Promise<void>>();
  let isStopping = false;

  /** @returns the version that the answer names, undefined when there was no such answer */
  async function change(person: Person, method: string, path: string, body?: object) {
    try {
      const response = await chat.send(`/api/v1/tasks${path}`, {
        method,
        headers: { ...person.headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      if (response.ok) return { text, version: versionOf(response) };
      unanswered.push(`${method} ${response.status}`);
    } catch (error) {
      // The replica died with it in hand: it may have happened, or not, and nobody was promised anything.
      unanswered.push(`${method} ${codeOf(error) ?? String(error)}`);
    }
    return undefined;
  }

  async function create(i: number): Promise<void> {
    // One further each round, so that no person has all of one kind: two events a series are much for one stream.
    const person = people[(i + Math.floor(i / people.length)) % people.length] as Person;
    const kind = kinds[i % kinds.length] ?? 'plain';
    const created = await change(person, 'POST', '', { title: `Task ${i}`, ...fieldsOf[kind]?.() });
    if (!created) return;
    const { id: taskId } = JSON.parse(created.text) as { id: string };
    promised.push({ taskId, type: 'task.created', version: 1 });
    for (const { method, body, type } of following[kind] ?? []) {
      const changed = await change(person, method, `/${taskId}`, body);
      if (!changed) return;
      promised.push({ taskId, type, ...(changed.version !== undefined && { version: changed.version }) });
    }
  }

  async function run(): Promise<void> {
    const startedAt = performance.now();
    for (let i = 0; !isStopping;) {
      const elapsedMs = performance.now() - startedAt;
      for (; i < (elapsedMs / 1000) * rate; i++) {
        lateMs.push(elapsedMs - (i / rate) * 1000);
        const work: Promise<void> = create(i).finally(() => running.delete(work));
        running.add(work);
      }
      await Bun.sleep(1);
    }
    await Promise.all(running);
  }
  const ended = run();

  return {
    promised,
    /** What was refused or got no answer: `POST 503`, `PATCH ECONNRESET`, `DELETE TimeoutError: …`. */
    unanswered,
    /** How late the generator itself was, at p99: above a quarter of a second the machine was saturated. */
    lateMs: () => (lateMs.length === 0 ? 0 : percentile(lateMs, 0.99)),
    /** Resolves when the last request has ended. */
    async stop(): Promise<void> {
      isStopping = true;
      await ended;
    },
  };
}

type Kind = 'plain' | 'changed' | 'completed' | 'deleted' | 'reminded' | 'recurring';
const special: Partial<Record<number, Kind>> = {
  0: 'changed',
  4: 'completed',
  8: 'deleted',
  10: 'reminded',
  12: 'recurring',
  16: 'reminded',
};
const kinds = Array.from({ length: 20 }, (_, i): Kind => special[i] ?? 'plain');

const fieldsOf: Partial<Record<Kind, () => object>> = {
  // Two days before tomorrow is over: it fires at once.
  reminded: () => ({ due_date: new Date(Date.now() + DAY_MS).toISOString(), reminder_offset: '2 days' }),
  // Its first date is just past and comes with it, its second less than a day ahead: the processor must see to it.
  recurring: () => ({ due_date: new Date(Date.now() - MINUTE_MS).toISOString(), recurrence_pattern: 'daily:' }),
  completed: () => ({ due_date: new Date(Date.now() + DAY_MS).toISOString(), reminder_offset: '1 hour' }),
};

const updated = (title: string) => ({ method: 'PATCH', body: { title }, type: 'task.updated' }) as const;
const following: Partial<Record<Kind, { method: string; body?: object; type: EventType }[]>> = {
  changed: [updated('Once'), updated('Twice'), updated('Three times')],
  completed: [{ method: 'PATCH', body: { completed: true }, type: 'task.completed' }],
  deleted: [{ method: 'DELETE', type: 'task.deleted' }],
};

/** The entity tag holds it, also of a task without a field of Phase V. */
function versionOf(response: Response): number | undefined {
  const tag = response.headers.get('etag');
  return tag === null ? undefined : Number(tag.replaceAll('"', ''));
}
