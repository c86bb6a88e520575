import { Type } from '@sinclair/typebox';
import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { createDatabase } from '../test/support/database.ts';
import { factsOf, taskOf } from '../test/support/task.ts';
import { admission } from './admission.ts';
import { connect, type Sql } from './db.ts';
import { edge } from './edge.ts';
import { type AnyEvent, anyEventSchema } from './events.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { subscribe } from './subscribe.ts';

const database = await createDatabase();
const sql = connect(database.url('reminder-service'), { name: 'test', max: 2 });
afterAll(async () => {
  await sql.end();
  await database.drop();
});

let handled: AnyEvent[] = [];
let fail: (event: AnyEvent) => Promise<void> = async () => {};
beforeEach(() => {
  handled = [];
  fail = async () => {};
});

function createApp({ appTokens = [] as string[], db = sql as Sql, now = Date.now, handleUnknown = false } = {}) {
  const log = createLog('test', { write: () => {} });
  const metrics = createMetrics('test', { version: '0', commit: '0' });
  const handle = async (event: AnyEvent) => {
    await fail(event);
    handled.push(event);
  };
  const app = edge({ log, admit: admission({ appTokens }) }).use(
    subscribe({
      appId: 'reminder-service',
      appTokens,
      sql: db,
      reads: Type.Object({ ...anyEventSchema.properties, task: Type.Object({ title: Type.String() }) }),
      handle,
      log,
      metrics,
      now,
      ...(handleUnknown && { handleUnknown: handle }),
    }),
  );
  const deliver = async (body: unknown, { route = '/events/deleted', token = '' } = {}) => {
    const response = await app.handle(
      new Request(`http://localhost${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', 'dapr-api-token': token },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
    return { ...((await response.json()) as { status?: string }), code: response.status };
  };
  return { deliver, metrics };
}

const envelope = (data: object) => ({
  specversion: '1.0',
  id: (data as { event_id?: string }).event_id ?? 'x',
  type: 'task.deleted',
  source: 'chat-api',
  data,
});

function deletedEvent(changes: object = {}) {
  const task = taskOf({ version: 2 }, '2026-11-24T10:00:00.000Z');
  return { event_type: 'task.deleted', ...factsOf(task), deleted_at: task.updated_at, task, ...changes };
}

describe('a delivery', () => {
  test('is handled and answered SUCCESS, unknown fields kept', async () => {
    const event = deletedEvent({ colour: 'green' });
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
    expect(handled).toEqual([event as never]);
  });

  test.each([
    ['no CloudEvent', {}],
    ['no data', { id: 'x' }],
    ['a missing field', envelope(deletedEvent({ user_id: undefined }))],
    ['a mistyped field', envelope(deletedEvent({ task_version: 'two' }))],
    ['a number as text', envelope(deletedEvent({ task_version: '2' }))],
    ['a number as text, and negative', envelope(deletedEvent({ task_version: '-5' }))],
    ['a negative number', envelope(deletedEvent({ task_version: -5 }))],
    ['a number with a fraction', envelope(deletedEvent({ task_version: 2.5 }))],
    ['a text as number', envelope(deletedEvent({ event_type: 7 }))],
    [
      'a number as text, of an unknown type',
      envelope(deletedEvent({ event_type: 'task.archived', task_version: '2' })),
    ],
    ['an id that is a UUID to Elysia only', envelope(deletedEvent({ task_id: `urn:uuid:${crypto.randomUUID()}` }))],
    ['one recipient as text', envelope(deletedEvent({ recipients: crypto.randomUUID() }))],
    ['an id that is no UUID', envelope(deletedEvent({ task_id: "1'; drop table tasks" }))],
    ['no recipient', envelope(deletedEvent({ recipients: [] }))],
    ['a timestamp that is no time', envelope(deletedEvent({ timestamp: 'yesterday at ten o clock' }))],
    ['a timestamp on a day that does not exist', envelope(deletedEvent({ timestamp: '2026-02-30T10:00:00.000Z' }))],
    ['a timestamp without an offset', envelope(deletedEvent({ timestamp: '2026-11-24T10:00:00.000' }))],
    ['a list', []],
    ['null', null],
    ['no JSON', '{'],
    ['more than 1 MiB', `{"id":"x","data":"${'x'.repeat(1024 * 1024)}"}`],
  ])('with %s is dropped, so the sidecar dead-letters it', async (_what, body) => {
    expect(await createApp().deliver(body)).toEqual({ code: 200, status: 'DROP' });
    expect(handled).toEqual([]);
  });

  test('of a type this version does not know is ignored', async () => {
    const event = deletedEvent({ event_type: 'task.archived' });
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
    expect(handled).toEqual([]);
  });

  test('of an unknown type is kept by a consumer that is a log', async () => {
    const event = deletedEvent({ event_type: 'task.archived' });
    await createApp({ handleUnknown: true }).deliver(envelope(event));
    expect(handled).toEqual([event as never]);
  });

  test('that lacks a field its consumer does not read is valid, as one that a later version requires', async () => {
    const event = deletedEvent({ deleted_at: undefined, task: { title: 'Water the plants' } });
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
  });

  test('that lacks a field its consumer reads is dropped', async () => {
    expect(await createApp().deliver(envelope(deletedEvent({ task: {} })))).toEqual({ code: 200, status: 'DROP' });
  });

  test('of any number of unknown types is one type in the metrics', async () => {
    const { deliver, metrics } = createApp();
    for (let n = 0; n < 3; n++) await deliver(envelope(deletedEvent({ event_type: `task.invented.${n}` })));
    const text = await metrics.text();
    expect(text).not.toContain('invented');
    expect(text).toMatch(/consumer_unknown_total\{type="unknown".*\} 3/);
    expect(text).toMatch(/consumer_deliveries_total\{type="unknown",status="SUCCESS".*\} 3/);
  });

  test('with an enum value of a later version is valid', async () => {
    const event = deletedEvent();
    event.task.priority = 'cosmic' as never;
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
  });

  test('without the app token is refused before anything is read', async () => {
    const app = createApp({ appTokens: ['secret', 'the one before', ''] });
    expect(await app.deliver(envelope(deletedEvent()), { token: '' })).toMatchObject({ code: 401 });
    expect(await app.deliver(envelope(deletedEvent()), { token: 'guess!' })).toMatchObject({ code: 401 });
    expect(await app.deliver(envelope(deletedEvent()), { token: 'secret' })).toMatchObject({ code: 200 });
    expect(await app.deliver(envelope(deletedEvent()), { token: 'the one before' })).toMatchObject({ code: 200 });
    expect(handled).toHaveLength(2);
  });
});

describe('a failing handler', () => {
  const transient = () => Promise.reject(Object.assign(new Error('deadlock'), { code: '40P01' }));

  test('is offered the event again without end while the reason is transient', async () => {
    const { deliver } = createApp();
    const event = envelope(deletedEvent());
    fail = transient;
    for (let attempt = 0; attempt < 20; attempt++) expect(await deliver(event)).toMatchObject({ status: 'RETRY' });
    fail = async () => {};
    expect(await deliver(event)).toMatchObject({ status: 'SUCCESS' });
  });

  test('refuses three times, then for good', async () => {
    const { deliver } = createApp();
    const event = envelope(deletedEvent());
    fail = () => Promise.reject(new Error('poison'));
    const answers = [];
    for (let attempt = 0; attempt < 4; attempt++) answers.push((await deliver(event)).status);
    expect(answers).toEqual(['RETRY', 'RETRY', 'RETRY', 'DROP']);
  });

  test('does not count transient errors as refusals, nor those of another event', async () => {
    const { deliver } = createApp();
    const [event, other] = [envelope(deletedEvent()), envelope(deletedEvent())];
    fail = transient;
    for (let attempt = 0; attempt < 5; attempt++) await deliver(event);
    fail = () => Promise.reject(new Error('poison'));
    await deliver(other);
    expect(await deliver(event)).toMatchObject({ status: 'RETRY' });
  });

  test('shows the age of the oldest delivery that is repeated', async () => {
    let now = 1_000_000;
    const { deliver, metrics } = createApp({ now: () => now });
    const retrying = async () =>
      Number(/^taskflow_consumer_retrying_seconds\{.*\} (.*)$/m.exec(await metrics.text())?.[1]);
    const event = envelope(deletedEvent());
    fail = transient;
    await deliver(event);
    now += 30_000;
    await deliver(event);
    expect(await retrying()).toBe(30);
    fail = async () => {};
    await deliver(event);
    expect(await retrying()).toBe(0);
  });
});

test('measures from the time of an event to the end of its handling, once however often it is delivered', async () => {
  const event = deletedEvent();
  const { deliver, metrics } = createApp({ now: () => Date.parse(event.timestamp) + 2500 });
  fail = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
  await deliver(envelope(event));
  fail = async () => {};
  await deliver(envelope(event));
  const value = async (part: string) =>
    Number(new RegExp(`^taskflow_consumer_delay_seconds_${part}\\{.*\\} (.*)$`, 'm').exec(await metrics.text())?.[1]);
  expect([await value('count'), await value('sum')]).toEqual([1, 2.5]);
});

describe('a dead letter', () => {
  test('is stored once with its envelope', async () => {
    const letter = { ...envelope(deletedEvent()), topic: 'taskflow.tasks.deleted' };
    const { deliver, metrics } = createApp();
    const waiting = async () =>
      Number(/^taskflow_dead_letters_waiting\{.*\} (.*)$/m.exec(await metrics.text())?.[1] ?? NaN);
    const before = await waiting();
    await deliver(letter, { route: '/events/dead-letter' });
    expect(await deliver(letter, { route: '/events/dead-letter' })).toMatchObject({ status: 'SUCCESS' });
    const rows = await database.sql`select app_id, topic, envelope from dead_letters where event_id = ${letter.id}`;
    expect([...rows]).toEqual([{ app_id: 'reminder-service', topic: 'taskflow.tasks.deleted', envelope: letter }]);
    expect(await metrics.text()).toMatch(/^taskflow_dead_letters_total\{.*\} 1$/m);
    expect(await waiting()).toBe(before + 1);
    await database.sql`update dead_letters set replayed_at = now() where event_id = ${letter.id}`;
    expect(await waiting()).toBe(before);
  });

  test('is stored also with text that no column holds, which may be why it was refused', async () => {
    const letter = { ...envelope({ ...deletedEvent(), note: ['a\0', '\ud800', 'C:\\u0000', '😀'] }), topic: 'a\0' };
    const id = `${letter.id}\0`;
    const { deliver } = createApp();
    expect(await deliver({ ...letter, id }, { route: '/events/dead-letter' })).toMatchObject({ status: 'SUCCESS' });
    const [row] = await database.sql`
      select topic, envelope -> 'data' -> 'note' as note from dead_letters where event_id = ${`${letter.id}\ufffd`}`;
    expect(row).toEqual({ topic: 'a\ufffd', note: ['a\ufffd', '\ufffd', 'C:\\u0000', '😀'] });
  });

  test('is offered again while the database is gone', async () => {
    const gone = connect('postgres://nobody@127.0.0.1:1/none', { name: 'test', max: 1 });
    expect(
      await createApp({ db: gone }).deliver(envelope(deletedEvent()), { route: '/events/dead-letter' }),
    ).toMatchObject({ status: 'RETRY' });
    await gone.end({ timeout: 0 });
  });
});
