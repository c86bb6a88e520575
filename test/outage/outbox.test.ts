import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Person, signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

let stack: RunningStack;
let me: Person;
beforeAll(async () => {
  stack = await startStack({ replicas: { 'chat-api': 2 } });
  me = await signUp(stack);
});
afterAll(() => stack?.stop());

/** Creates tasks and changes each twice, through both replicas of chat-api. @returns their ids */
async function changeThings(count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const at = i % 2 === 0 ? 'chat-api' : 'chat-api#2';
      const { id } = await me.ask<{ id: string }>('POST', '/tasks', { title: `Task ${i}` }, { at });
      await me.ask('PATCH', `/tasks/${id}`, { title: `Task ${i}, again` }, { at: 'chat-api#2' });
      await me.ask('PATCH', `/tasks/${id}`, { title: `Task ${i}, and again` }, { at: 'chat-api' });
      return id;
    }),
  );
}

/** All events in inbox and audit once; those of one topic in the order in which they were written. */
async function expectAllOnceInOrder(ids: string[]): Promise<void> {
  await stack.settled();
  const inbox = await stack.database.sql<{ events: number; updates: number[] }[]>`
    select count(*)::int as events,
           array_agg((payload ->> 'task_version')::int order by seq) filter (where type = 'task.updated') as updates
    from notifications where payload ->> 'task_id' = any(${ids}) group by payload ->> 'task_id'`;
  expect(inbox.map((row) => ({ ...row }))).toEqual(ids.map(() => ({ events: 3, updates: [2, 3] })));
  const audit = await stack.database
    .sql`select count(*)::int as rows, count(distinct event_id)::int as ids from task_events where task_id = any(${ids}::uuid[])`;
  expect(audit[0]).toEqual({ rows: 3 * ids.length, ids: 3 * ids.length });
  // Published in order for each task: sent_at never goes back as the version goes up.
  const disorder = await stack.database.sql`
    select 1 from outbox a join outbox b using (task_id) where task_id = any(${ids}::uuid[]) and a.task_version < b.task_version and a.sent_at > b.sent_at`;
  expect(disorder.length).toBe(0);
}

const unsent = async () =>
  (await stack.database.sql`select count(*)::int as n from outbox where sent_at is null`)[0]?.n as number;

test.each([
  ['off', { state: 'off' }, { state: 'on' }],
  ['hanging', { publish: 'hang' }, { publish: 'ok' }],
  ['answering 500', { publish: 'fail' }, { publish: 'ok' }],
  ['without its broker', { publish: 'absent' }, { publish: 'ok' }],
] as const)(
  'keeps every event while the sidecar is %s, then delivers each once and in order',
  async (_what, fault, mended) => {
    await stack.fault('chat-api', fault);
    const ids = await changeThings(20); // REST answers as ever
    expect(await unsent()).toBeGreaterThanOrEqual(60);
    await stack.fault('chat-api', mended);
    await expectAllOnceInOrder(ids);
  },
  90_000,
);

test('loses nothing when broker and sidecars are killed half-way', async () => {
  const changes = changeThings(60);
  await eventually(async () => (await unsent()) > 0);
  await stack.kill('local/sidecar');
  const ids = await changes;
  await stack.start('local/sidecar');
  await expectAllOnceInOrder(ids);
}, 90_000);
