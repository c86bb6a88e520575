import { Rate } from 'k6/metrics';
import { LOST_AFTER, seconds } from './settings.ts';
import { call, type Event, inbox, type Item, jsonOf, pause, type User } from './taskflow.ts';

/** What a batch of the API holds at most. */
export const BATCH = 100;
/** Read their users' inboxes at once. */
const READERS = 20;

/** What `setup` tells all virtual users. */
export type Wave = {
  /** In each title, so that an earlier run with the same users does not count. */
  run: string;
  /** When the first is due, in ms since 1970. */
  dueAt: number;
};

/**
 * A batch for each user over `create` seconds, then, `wait` seconds after the creations have ended, a look at what each has.
 * The script exports both by these names.
 */
export const waveScenarios = ({ people, create, wait }: { people: number; create: number; wait: number }) => ({
  create: {
    executor: 'constant-arrival-rate' as const,
    exec: 'create',
    rate: people,
    timeUnit: seconds(create),
    duration: seconds(create),
    preAllocatedVUs: Math.min(people, 100),
    maxVUs: Math.min(people, 100),
  },
  see: {
    executor: 'shared-iterations' as const,
    exec: 'see',
    startTime: seconds(create + wait),
    vus: Math.min(people, READERS),
    iterations: people,
    maxDuration: seconds(Math.ceil(people / READERS) * (LOST_AFTER + 2) + 60),
  },
});

/** Whether each item of a batch was made. */
const created = new Rate('created');

/** Makes tasks for a user in one request. Answers their ids, those that failed left out. */
export async function createBatch(user: User, tasks: object[]): Promise<string[]> {
  const answer = await call(user, 'POST', '/tasks/batch', { name: 'create batch', body: { tasks } });
  const { results } = answer.status === 200 ? jsonOf<{ results: Result[] }>(answer, 200) : { results: [] };
  const ids = results.flatMap(({ status, task }) => (status === 201 && task ? [task.id] : []));
  for (let i = 0; i < tasks.length; i++) created.add(i < ids.length);
  return ids;
}
type Result = { status: number; task?: { id: string } };

/** The rows of a user's inbox that are of this wave, as soon as there are `count`, or those there are when the wait is over. */
export async function waitFor(user: User, count: number, isOfWave: (event: Event) => boolean): Promise<Item[]> {
  const deadline = Date.now() + LOST_AFTER * 1000;
  const found: Item[] = [];
  for (let after = 0; ;) {
    const items = await inbox(user, after);
    after = items.at(-1)?.id ?? after;
    found.push(...items.filter(({ event }) => isOfWave(event)));
    if (found.length >= count || Date.now() > deadline) return found;
    await pause(500);
  }
}
