import { afterAll, describe, expect, test } from 'bun:test';
import { createDatabase } from '../../../test/support/database.ts';
import type { Change } from '../changes/change.ts';
import { createGroupCommit } from '../changes/group-commit.ts';
import { insertTasks } from '../changes/write.ts';
import { createTask } from './create.ts';
import { deleteAllTasks } from './delete.ts';
import { startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

describe('POST /tasks', () => {
  test('answers a plain task exactly as Phase IV did', async () => {
    const ada = await api.person();
    const { status, body, headers } = await ada.call('POST', '/tasks', { title: '  Buy milk ', unknown: 1 });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      user_id: ada.id,
      title: 'Buy milk',
      description: null,
      completed: false,
      created_at: '2026-11-24T10:00:00.000Z',
      updated_at: '2026-11-24T10:00:00.000Z',
    });
    expect(headers.get('etag')).toBe('"1"');
  });

  test('writes one created event beside it, and wakes the relay', async () => {
    const ada = await api.person();
    const before = api.wakes.count;
    const correlation = crypto.randomUUID();
    const { body } = await ada.call('POST', '/tasks', { title: 'One' }, { 'x-correlation-id': correlation });
    const [event, ...more] = await api.events(body.id);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      event_type: 'task.created',
      actor: { type: 'user', id: ada.id },
      task_id: body.id as string,
      user_id: ada.id,
      recipients: [ada.id],
      task_version: 1,
      correlation_id: correlation,
      task: { title: 'One', priority: null, version: 1 },
    });
    expect(api.wakes.count).toBe(before + 1);
  });

  test('takes all fields of Phase V', async () => {
    const ada = await api.person({ timezone: 'Europe/Berlin' });
    const { status, body } = await ada.call('POST', '/tasks', {
      title: 'Pay rent',
      priority: 'high',
      due_date: '2026-12-01T09:00:00+01:00',
      reminder_offset: '1 day',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      priority: 'high',
      due_date: '2026-12-01T08:00:00.000Z',
      timezone: 'Europe/Berlin',
      reminder_offset: 'P1D',
      reminder_status: 'pending',
      version: 1,
    });
    expect(body).not.toHaveProperty('recurrence_pattern');
    const read = await ada.call('GET', `/tasks/${body.id}`);
    expect(read.body).toEqual(body);
  });

  test('answers a due date without time in the form given', async () => {
    const ada = await api.person({ timezone: 'America/New_York' });
    const { body } = await ada.call('POST', '/tasks', { title: 'x', due_date: '2026-12-01' });
    expect(body.due_date).toBe('2026-12-01');
    const [row] = await database.sql`select due_date, due_all_day from tasks where id = ${String(body.id)}`;
    expect(row).toEqual({ due_date: new Date('2026-12-02T04:59:59.999Z'), due_all_day: true });
  });

  test('has no reminder to come when the due date is past', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', {
      title: 'x',
      due_date: '2026-11-24T09:00:00Z',
      reminder_offset: '1 hour',
    });
    expect(body.reminder_status).toBe('cancelled');
  });

  test.each([
    [{}, 'title'],
    [{ title: ' ' }, 'title'],
    [{ title: '\u200b\u2060' }, 'title'],
    [{ title: 'x'.repeat(256) }, 'title'],
    [{ title: 'x', description: 7 }, 'description'],
    [{ title: 'x', priority: 'huge' }, 'priority'],
    [{ title: 'x', due_date: 'tomorrow' }, 'due_date'],
    [{ title: 'x', timezone: 'Mars/Olympus' }, 'timezone'],
    [{ title: 'x', reminder_offset: '1 day' }, 'reminder_offset'],
    [{ title: 'x', recurrence_pattern: 'daily:' }, 'recurrence_pattern'],
    [{ title: 'x', due_date: '2026-12-01', recurrence_pattern: 'weekly:MON,XXX' }, 'XXX'],
    [{ title: 'x', due_date: '2026-12-01', recurrence_end_date: '2026-12-02' }, 'recurrence_end_date'],
    [
      { title: 'x', due_date: '2026-12-02', recurrence_pattern: 'daily:', recurrence_end_date: '2026-12-01' },
      'recurrence_end_date',
    ],
  ])('refuses %j naming %s', async (input, named) => {
    const ada = await api.person();
    const { status, body } = await ada.call('POST', '/tasks', input);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'TASK_CREATION_ERROR', message: expect.stringContaining(named) });
  });

  test('counts characters, not UTF-16 units', async () => {
    const ada = await api.person();
    const { status } = await ada.call('POST', '/tasks', { title: '🌻'.repeat(255) });
    expect(status).toBe(201);
  });

  test('creates as many tasks as are asked for at once, each with its event', async () => {
    const ada = await api.person();
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, i) => ada.call('POST', '/tasks', { title: `Task ${i}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(150).fill(201));
    const [row] = await database.sql`
      select count(*)::int as tasks, count(event)::int as events, count(distinct title)::int as titles
      from tasks left join outbox on task_id = tasks.id where user_id = ${ada.id}`;
    expect(row).toEqual({ tasks: 150, events: 150, titles: 150 });
  });

  test("is not failed by another's deleted account in the same group", async () => {
    const ada = await api.person();
    const store = createGroupCommit<Change>((changes) => insertTasks(api.sql, changes));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        createTask(api.sql, store, {
          userId: i === 10 ? crypto.randomUUID() : ada.id,
          takeRoom: () => {},
          computing: async <T>(work: () => T) => work(),
          input: { title: `Task ${i}` },
          cause: { actor: { type: 'user', id: ada.id }, correlationId: ada.id, traceparent: null, now: api.clock.now },
        }),
      ),
    );
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'stored'));
    expect(codes).toEqual(Array.from({ length: 20 }, (_, i) => (i === 10 ? 'INVALID_TOKEN' : 'stored')));
  });
});

describe('PUT and PATCH /tasks/:id', () => {
  test('publishes what changed, old and new, numbered one higher', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'Old' });
    api.clock.now = new Date(api.clock.now.getTime() + 1000);
    const { status, headers } = await ada.call('PATCH', `/tasks/${body.id}`, { title: 'New', priority: 'low' });
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"2"');
    expect((await api.events(body.id)).at(-1)).toMatchObject({
      event_type: 'task.updated',
      task_version: 2,
      changes: { title: { old: 'Old', new: 'New' }, priority: { old: null, new: 'low' } },
      task: { title: 'New', version: 2 },
    });
  });

  test('publishes nothing when nothing changes', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'Same' });
    const { status, headers } = await ada.call('PUT', `/tasks/${body.id}`, { title: 'Same', completed: false });
    expect([status, headers.get('etag')]).toEqual([200, '"1"']);
    expect(await api.events(body.id)).toHaveLength(1);
  });

  test('clears by null what the API says may be cleared', async () => {
    const ada = await api.person();
    const series = { due_date: '2026-12-01T09:00:00Z', recurrence_pattern: 'daily:', catch_up: 'all' };
    const { body } = await ada.call('POST', '/tasks', { title: 'T', priority: 'low', ...series });
    const cleared = await ada.call('PATCH', `/tasks/${body.id}`, { priority: null, catch_up: null });
    expect(cleared.status).toBe(200);
    expect(cleared.body).not.toContainAnyKeys(['priority', 'catch_up']);
  });

  test('completing is an event of its own, opening again is an update', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', {
      title: 'x',
      due_date: '2027-01-01T00:00:00Z',
      reminder_offset: '1 hour',
    });
    const done = await ada.call('PUT', `/tasks/${body.id}`, { completed: true });
    expect(done.body).toMatchObject({ completed: true, reminder_status: 'cancelled' });
    const open = await ada.call('PUT', `/tasks/${body.id}`, { completed: false });
    expect(open.body).toMatchObject({ completed: false, reminder_status: 'pending' });
    const types = (await api.events(body.id)).map(({ event_type }) => event_type);
    expect(types).toEqual(['task.created', 'task.completed', 'task.updated']);
  });

  test('numbers the first change of a row from Phase IV as 1', async () => {
    const ada = await api.person();
    const id = crypto.randomUUID();
    await database.sql`insert into tasks (id, user_id, title) values (${id}, ${ada.id}, 'Old')`;
    const { body, headers } = await ada.call('PUT', `/tasks/${id}`, { title: 'New' });
    expect(Object.keys(body)).not.toContain('version');
    expect(headers.get('etag')).toBe('"1"');
    expect(await api.events(id)).toMatchObject([{ event_type: 'task.updated', task_version: 1 }]);
  });

  test('schedules a reminder again when its time moves', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', {
      title: 'x',
      due_date: '2027-01-01T00:00:00Z',
      reminder_offset: '1 hour',
    });
    await database.sql`update tasks set reminder_status = 'sent' where id = ${String(body.id)}`;
    const renamed = await ada.call('PATCH', `/tasks/${body.id}`, { title: 'y' });
    expect(renamed.body.reminder_status).toBe('sent');
    const moved = await ada.call('PATCH', `/tasks/${body.id}`, { due_date: '2027-01-02T00:00:00Z' });
    expect(moved.body.reminder_status).toBe('pending');
  });

  test('moves updated_at on at each change, also where a clock stands still or is behind', async () => {
    const me = await api.person();
    const { body: first } = await me.call('POST', '/tasks', { title: 'First' });
    const { body: second } = await me.call('PUT', `/tasks/${first.id}`, { title: 'Second' });
    api.clock.now = new Date(api.clock.now.getTime() - 60_000);
    const { body: third } = await me.call('PUT', `/tasks/${first.id}`, { title: 'Third' });
    api.clock.now = new Date(api.clock.now.getTime() + 60_000);
    const times = [first, second, third].map(({ updated_at: at }) => String(at));
    expect(times).toEqual([...new Set(times)].sort());
  });

  test('refuses a version that is not the present one', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'x' });
    const right = await ada.call('PATCH', `/tasks/${body.id}`, { title: 'y' }, { 'if-match': '"1"' });
    const wrong = await ada.call('PATCH', `/tasks/${body.id}`, { title: 'z' }, { 'if-match': '"1"' });
    const gone = await ada.call('DELETE', `/tasks/${body.id}`, undefined, { 'if-match': '"1"' });
    expect([right.status, wrong.status, wrong.body.code, gone.status]).toEqual([200, 412, 'VERSION_CONFLICT', 412]);
  });

  test('loses no change of many at once', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: '0' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ada.call('PATCH', `/tasks/${body.id}`, { title: `${i + 1}` })),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const events = await api.events(body.id);
    expect(events.map(({ task_version }) => task_version)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
  });

  test("answers 403 for another's task, 404 for a malformed or unknown id", async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    const { body } = await ada.call('POST', '/tasks', { title: 'x' });
    const others = await bob.call('PUT', `/tasks/${body.id}`, { title: 'y' });
    expect([others.status, others.body.code]).toEqual([403, 'FORBIDDEN']);
    for (const id of ['nonsense', crypto.randomUUID()]) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const change = method.startsWith('P') ? { title: 'y' } : undefined;
        expect((await ada.call(method, `/tasks/${id}`, change)).status).toBe(404);
      }
    }
  });

  test('names the field that it refuses', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'x' });
    const { status, body: error } = await ada.call('PUT', `/tasks/${body.id}`, { completed: 'yes' });
    expect([status, error.code, error.message]).toEqual([
      400,
      'TASK_UPDATE_ERROR',
      'completed: expected true or false',
    ]);
  });
});

describe('DELETE /tasks/:id', () => {
  test('answers 204 and publishes the last state', async () => {
    const ada = await api.person();
    const { body } = await ada.call('POST', '/tasks', { title: 'Last' });
    expect((await ada.call('DELETE', `/tasks/${body.id}`)).status).toBe(204);
    expect((await ada.call('GET', `/tasks/${body.id}`)).status).toBe(404);
    expect((await api.events(body.id)).at(-1)).toMatchObject({
      event_type: 'task.deleted',
      task_version: 2,
      task: { title: 'Last' },
    });
  });
});

describe('deleteAllTasks', () => {
  test('deletes every task of the person with its event, and nobody elses', async () => {
    const [ada, bob] = [await api.person(), await api.person()];
    await ada.call('POST', '/tasks', { title: 'plain' });
    await ada.call('POST', '/tasks', { title: 'series', due_date: '2026-12-01', recurrence_pattern: 'daily:' });
    await bob.call('POST', '/tasks', { title: 'stays' });
    expect(await deleteAllTasks(api.sql, ada.id, { type: 'operator', id: 'root' })).toBe(3);
    const deletions = await database.sql`
      select 1 from outbox where event_type = 'task.deleted' and event ->> 'user_id' = ${ada.id}`;
    expect(deletions.length).toBe(3);
    expect((await bob.call('GET', '/tasks')).list).toHaveLength(1);
  });
});
