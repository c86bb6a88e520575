import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { atRate } from '../support/load.ts';
import { listen } from '../support/listen.ts';
import { type Person, signUpMany } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';

const PEOPLE = 30; // 200 events a second over 30 streams: under the 10 a second of each
const PER_SECOND = 200;
const SECONDS = 3;

let stack: RunningStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const victims = [
  'chat-api',
  'notification-service',
  'reminder-service',
  'audit-logger',
  'recurring-task-processor',
  'local/sidecar',
] as const;

/**
 * Creates tasks at 200 a second with reminders that fire at once, kills the victim in the middle and starts it again.
 * A create that got no answer may or may not have happened: only the answered ones are promised.
 */
async function createUnderFire(people: Person[], victim: string): Promise<string[]> {
  const due = new Date(Date.now() + 86_400_000).toISOString();
  const answered: string[] = [];
  const create = async (i: number) => {
    try {
      const task = await people[i % PEOPLE]?.ask<{ id: string }>('POST', '/tasks', {
        title: `Task ${i}`,
        due_date: due,
        reminder_offset: '2 days',
      });
      if (task) answered.push(task.id);
    } catch {
      // chat-api was dead at that moment: its client got an error and knows it
    }
  };
  let drill = Promise.resolve();
  await atRate(PER_SECOND, SECONDS, async (i) => {
    if (i === PER_SECOND) drill = stack.kill(victim).then(() => stack.start(victim));
    await create(i);
  });
  await drill;
  return answered;
}

describe('kill -9 under 200 requests a second loses nothing and duplicates nothing', () => {
  test.each(victims)(
    '%s',
    async (victim) => {
      const people = await signUpMany(stack, PEOPLE);
      const users = people.map(({ id }) => id);
      const streams = await Promise.all(people.map((person) => listen(stack, person)));

      const answered = await createUnderFire(people, victim);
      await stack.settled();

      const { sql } = stack.database;
      const tasks = (await sql<{ id: string }[]>`select id from tasks where user_id = any(${users}::uuid[])`).map(
        ({ id }) => id,
      );
      expect(answered.filter((id) => !tasks.includes(id))).toEqual([]); // nothing answered is lost
      const [counts] = await sql`
      select (select count(*) from outbox where task_id = any(${tasks}::uuid[]))::int as outbox,
             (select count(*) from reminder_schedule where task_id = any(${tasks}::uuid[]) and status = 'triggered' and published_at is not null)::int as reminders,
             (select count(*) from notifications where user_id = any(${users}::uuid[]))::int as inbox,
             (select count(distinct (user_id, event_id)) from notifications where user_id = any(${users}::uuid[]))::int as inbox_ids,
             (select count(*) from task_events where user_id = any(${users}::uuid[]))::int as audit,
             (select count(distinct event_id) from task_events where user_id = any(${users}::uuid[]))::int as audit_ids,
             (select count(*) from dead_letters)::int as dead`;
      const n = tasks.length;
      expect(counts).toEqual({
        outbox: n,
        reminders: n,
        inbox: 2 * n,
        inbox_ids: 2 * n,
        audit: 2 * n,
        audit_ids: 2 * n,
        dead: 0,
      });

      const seen = (await Promise.all(streams.map((stream) => stream.whole()))).flat();
      expect({ frames: seen.length, ids: new Set(seen).size }).toEqual({ frames: 2 * n, ids: 2 * n });
      for (const stream of streams) stream.close();
    },
    120_000,
  );
});
