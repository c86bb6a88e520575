import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { listen } from '../support/listen.ts';
import { type Person, signUp } from '../support/person.ts';
import { type Server, startServer } from '../support/server.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

// A server of its own: the others' tests need theirs.
let server: Server;
let stack: RunningStack;

beforeAll(async () => {
  server = await startServer();
  stack = await startStack();
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await server?.remove();
}, 60_000);

const outages: [string, () => unknown, () => unknown][] = [
  ['stopped', () => server.stop(), () => server.start()],
  ['killed', () => server.kill(), () => server.start()],
];
if (process.platform === 'linux') outages.push(['paused', () => server.pause(), () => server.resume()]);

const due = () => ({ due_date: new Date(Date.now() + 86_400_000).toISOString(), reminder_offset: '2 days' });

/** Creates tasks with reminders that fire at once; `answered` are the promised ones. */
async function createAll(me: Person, count: number, answered: string[]): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const answer = await me.call('POST', '/tasks', { title: `Task ${i}`, ...due() });
      if (answer.status === 201) answered.push(((await answer.json()) as { id: string }).id);
      else expect(await refusalOf(answer)).toEqual(unavailable);
    }),
  );
}

const unavailable = { status: 503, code: 'DATABASE_UNAVAILABLE', retryAfter: '5' };
async function refusalOf(answer: Response) {
  const { code } = (await answer.json()) as { code: string };
  return { status: answer.status, code, retryAfter: answer.headers.get('retry-after') };
}

const healthOf = (what: 'live' | 'ready') =>
  Promise.all(
    Object.values(stack.ports).map(async (port) => (await fetch(`http://127.0.0.1:${port}/health/${what}`)).status),
  );

/** What a person and a probe see meanwhile. */
async function expectUnavailable(me: Person): Promise<void> {
  const login = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'nobody@example.com', password: 'Sunny-Day-42' }),
  };
  const calls = [
    me.call('GET', '/tasks'),
    me.call('GET', '/notifications'),
    me.call('GET', '/reminders/next'),
    fetch(stack.url('/api/v1/auth/login'), login),
  ];
  expect(await Promise.all((await Promise.all(calls)).map(refusalOf))).toEqual(calls.map(() => unavailable));
  const opened = await fetch(stack.url('/api/v1/notifications/stream'), { headers: me.headers });
  expect(await opened.text()).toContain('event: unavailable');
  expect(new Set(await healthOf('live'))).toEqual(new Set([200]));
  expect(new Set(await healthOf('ready'))).toEqual(new Set([503]));
}

describe('while the database is away nothing is lost or doubled, and all services heal by themselves', () => {
  test.each(outages)(
    '%s',
    async (_how, begin, end) => {
      const me = await signUp(stack);
      const stream = await listen(stack, me);
      const answered: string[] = [];
      await createAll(me, 20, answered);
      const burst = createAll(me, 60, answered); // in every state a statement can be in when it happens
      await begin();

      try {
        await expectUnavailable(me);
        await burst;
      } finally {
        await end();
      }
      await eventually(async () => (await healthOf('ready')).every((status) => status === 200));
      await createAll(me, 5, answered);
      await stack.settled();
      const [counts] = await stack.database.sql`
        select (select count(*) from tasks where user_id = ${me.id})::int as tasks,
               (select count(*) from tasks where id = any(${answered}::uuid[]))::int as answered,
               (select count(*) from reminder_schedule where user_id = ${me.id} and published_at is not null)::int as reminders,
               (select count(*) from notifications where user_id = ${me.id})::int as inbox,
               (select count(*) from task_events where user_id = ${me.id})::int as audit,
               (select count(*) from dead_letters)::int as dead`;
      const tasks = Number(counts?.tasks);
      const events = 2 * tasks;
      expect(counts).toEqual({
        tasks,
        answered: answered.length,
        reminders: tasks,
        inbox: events,
        audit: events,
        dead: 0,
      });
      expect(new Set(await stream.whole()).size).toBe(events);
      expect(stream.heard).toHaveLength(events);
      expect(stream.openings()).toBe(1);
      stream.close();
    },
    120_000,
  );
});
