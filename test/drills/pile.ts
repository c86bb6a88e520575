import { type Consumer, consumers, eventTypes } from '#shared/events';
import { inTurns } from '../support/load.ts';
import type { Person } from '../support/person.ts';
import { eventually } from '../support/wait.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;
const IN_FLIGHT = 8;
const PUBLISHED_MS = 120_000;

/** Those whose sidecars deliver in batches (`gitops/base/dapr/subscriptions.yaml`). */
export const bulkConsumers = (Object.keys(consumers) as Consumer[]).filter((appId) => appId !== 'chat-api');

type Texts = { title: string; description?: string };
const plain: Texts[] = [{ title: 'A task' }, { title: 'Another text' }];

/**
 * Makes at least `each` events of every type through the API, and waits until those of chat-api are published: of tasks that
 * are changed from the first of these texts to the second, completed and deleted, and of as many whose reminder fires at once.
 */
export async function pile(world: World, each: number, [first, second]: Texts[] = plain): Promise<void> {
  const { people } = world;
  const perPerson = Math.ceil(each / people.length);
  const due_date = new Date(Date.now() + DAY_MS).toISOString();
  const tasks: Task[][] = Array.from({ length: perPerson }, () => []);
  await inTurns(people.length, IN_FLIGHT, async (i) => {
    const person = people[i] as Person;
    await create(world, person, perPerson, { ...first, due_date, reminder_offset: '2 days' });
    const ids = await create(world, person, perPerson, { ...first });
    ids.forEach((id, turn) => tasks[turn]?.push({ id, person }));
  });
  // A task of everybody in turn: each replica works on two requests of a person at once.
  const all = tasks.flat();
  await inTurns(all.length, IN_FLIGHT, (i) => live(world, all[i] as Task, { ...second }));
  await published(world);
}

type Task = { id: string; person: Person };

/** @returns their ids */
async function create({ load }: World, person: Person, count: number, task: object): Promise<string[]> {
  const tasks = Array.from({ length: count }, () => task);
  const { results } = await person.ask<{ results: { task: { id: string } }[] }>('POST', '/tasks/batch', { tasks });
  const ids = results.map(({ task: { id } }) => id);
  for (const taskId of ids) load.promised.push({ taskId, type: 'task.created', version: 1 });
  return ids;
}

async function live({ load }: World, { id: taskId, person }: Task, change: object): Promise<void> {
  await person.ask('PATCH', `/tasks/${taskId}`, change);
  load.promised.push({ taskId, type: 'task.updated', version: 2 });
  await person.ask('PATCH', `/tasks/${taskId}`, { completed: true });
  load.promised.push({ taskId, type: 'task.completed', version: 3 });
  await person.ask('DELETE', `/tasks/${taskId}`);
  load.promised.push({ taskId, type: 'task.deleted', version: 4 });
}

const published = (world: World) =>
  eventually(async () => (await unsent(world)) === 0, { ms: PUBLISHED_MS, what: 'the outbox to be empty' });

export async function unsent({ stack }: World): Promise<number> {
  const [row] = await stack.database.sql<{ count: number }[]>`
    select count(*)::int as count from outbox where sent_at is null`;
  return row?.count ?? 0;
}

/** Waits until the reminders of all tasks that are there have fired and are published. */
export const remindersPublished = ({ stack }: World) =>
  eventually(
    async () => {
      const [row] = await stack.database.sql<{ count: number }[]>`
        select count(*)::int as count from tasks
        where due_date - reminder_offset <= created_at and not exists (
          select from reminder_schedule where task_id = tasks.id and published_at is not null)`;
      return row?.count === 0;
    },
    { ms: PUBLISHED_MS, everyMs: 100, what: 'all reminders to be published' },
  );

/** Waits until one event of each type is in an inbox. */
export const allTypesHaveCome = ({ stack }: World) =>
  eventually(
    async () => (await stack.database.sql`select distinct type from notifications`).length === eventTypes.length,
    { ms: PUBLISHED_MS, everyMs: 100, what: 'an event of each type to come' },
  );
