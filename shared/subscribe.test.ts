import { Type } from '@sinclair/typebox';
import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { bulkOf, longestChange, statusOfAll } from '../test/support/bulk.ts';
import { createDatabase } from '../test/support/database.ts';
import { factsOf, taskOf } from '../test/support/task.ts';
import { admission } from './admission.ts';
import { connect, type Sql } from './db.ts';
import type { Received } from './decide.ts';
import { MAX_DELIVERY_BYTES, MAX_EVENTS } from './delivery.ts';
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
let traces: (string | null)[] = [];
/** How many events `handle` was given, each time. */
let calls: number[] = [];
let fail: (event: AnyEvent) => Promise<void> = async () => {};
let logged: { level: string; message: string }[] = [];
beforeEach(() => {
  handled = [];
  traces = [];
  calls = [];
  logged = [];
  fail = async () => {};
});

function createApp({ appTokens = [] as string[], db = sql as Sql, now = Date.now, keepsUnknown = false } = {}) {
  const log = createLog('test', { write: (line) => logged.push(JSON.parse(line)) });
  const metrics = createMetrics('test', { version: '0', commit: '0' });
  /** All or nothing, as a statement. */
  const handle = async (batch: Received[]) => {
    calls.push(batch.length);
    for (const { event } of batch) await fail(event);
    handled.push(...batch.map(({ event }) => event));
    traces.push(...batch.map(({ traceparent }) => traceparent));
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
      keepsUnknown,
    }),
  );
  const deliver = async (
    body: unknown,
    { route = '/events/deleted', token = '', headers = {} as Record<string, string> } = {},
  ) => {
    const type = 'application/cloudevents+json; charset=utf-8';
    const response = await app.handle(
      new Request(`http://localhost${route}`, {
        method: 'POST',
        headers: { 'content-type': type, 'dapr-api-token': token, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
    return { ...((await response.json()) as { status?: string }), code: response.status };
  };
  /** @returns what each entry was told, which is the same for all */
  const deliverAll = async (envelopes: unknown[], place = {}) => {
    const answer = await deliver(bulkOf(envelopes, place), { headers: { 'content-type': 'application/json' } });
    return statusOfAll(answer as unknown as Parameters<typeof statusOfAll>[0], envelopes.length);
  };
  const metric = async (name: string) =>
    Number(new RegExp(`^${name}\\{.*\\} (.*)$`, 'm').exec(await metrics.text())?.[1] ?? NaN);
  return { deliver, deliverAll, metrics, metric };
}

const lettersOf = (...ids: string[]) => database.sql`
  select event_id, app_id, topic, envelope from dead_letters where event_id in ${database.sql(ids)} order by event_id`;
const letterCount = async () => (await database.sql`select 1 from dead_letters`).length;
const transient = () => Promise.reject(Object.assign(new Error('deadlock'), { code: '40P01' }));

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
  ])('with %s is refused for good, and kept', async (_what, body) => {
    const before = await letterCount();
    expect(await createApp().deliver(body)).toEqual({ code: 200, status: 'SUCCESS' });
    expect(handled).toEqual([]);
    expect(await letterCount()).toBeWithin(before, before + 2); // some have one id
    const [{ envelope } = {}] = await database.sql`select envelope from dead_letters order by stored_at desc limit 1`;
    expect(envelope).toBeDefined();
  });

  test.each([
    ['null', 'null'],
    ['no JSON', '{'],
    ['no list of entries', JSON.stringify({ ...bulkOf([]), entries: {} })],
    ['an entry without an id', JSON.stringify({ ...bulkOf([]), entries: [{ event: {} }] })],
    ['more than any batch can have', `{"data":"${'x'.repeat(MAX_DELIVERY_BYTES)}"}`],
  ])('with %s is offered again, and an alert', async (_what, body) => {
    let now = 0;
    const { deliver, metric } = createApp({ now: () => now });
    const before = await letterCount();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await deliver(body)).toMatchObject({ code: 500 });
      now += 2000;
    }
    expect(await metric('taskflow_consumer_retrying_seconds')).toBe(6);
    expect(logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(['error: delivery cannot be read']);
    expect(await letterCount()).toBe(before);
    await deliver(envelope(deletedEvent()));
    expect(await metric('taskflow_consumer_retrying_seconds')).toBe(0);
  });

  test('on a route that a later version has is offered again, and an alert', async () => {
    const { deliver } = createApp();
    expect(await deliver(envelope(deletedEvent()), { route: '/events/shared' })).toMatchObject({ code: 500 });
    expect(logged).toMatchObject([{ level: 'error', message: 'delivery cannot be read' }]);
  });

  test('of a type this version does not know is ignored', async () => {
    const event = deletedEvent({ event_type: 'task.archived' });
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
    expect(handled).toEqual([]);
  });

  test('of an unknown type is kept by a consumer that is a log', async () => {
    const event = deletedEvent({ event_type: 'task.archived' });
    await createApp({ keepsUnknown: true }).deliver(envelope(event));
    expect(handled).toEqual([event as never]);
  });

  test('that lacks a field its consumer does not read is valid, as one that a later version requires', async () => {
    const event = deletedEvent({ deleted_at: undefined, task: { title: 'Water the plants' } });
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
  });

  test('that lacks a field its consumer reads is kept, and not handled', async () => {
    const event = deletedEvent({ task: {} });
    expect(await createApp().deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
    expect(handled).toEqual([]);
    expect(await lettersOf(event.event_id)).toHaveLength(1);
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

describe('a batch', () => {
  const events = (count: number) => Array.from({ length: count }, () => deletedEvent());
  const poison = (...events: { event_id: string }[]) => {
    fail = async ({ event_id: id }) => {
      if (events.some((each) => each.event_id === id)) throw new Error('poison');
    };
  };

  test('is handled at once and in order, each event with its own trace', async () => {
    const all = events(3);
    const trace = (n: number) => `00-${'0'.repeat(31)}${n}-${'1'.repeat(16)}-01`;
    const envelopes = all.map((event, n) => ({ ...envelope(event), ...(n > 0 && { traceparent: trace(n) }) }));
    expect(await createApp().deliverAll(envelopes)).toBe('SUCCESS');
    expect(calls).toEqual([3]);
    expect(handled).toEqual(all as never);
    expect(traces).toEqual([null, trace(1), trace(2)]);
  });

  test('that is empty is done', async () => {
    expect(await createApp().deliver(bulkOf([]))).toEqual({ code: 200, statuses: [] } as never);
  });

  test('of which one event is to come again comes again as a whole', async () => {
    const all = events(3);
    const { deliverAll } = createApp();
    fail = ({ event_id: id }) => (id === all[1]?.event_id ? transient() : Promise.resolve());
    for (let attempt = 0; attempt < 5; attempt++) expect(await deliverAll(all.map(envelope))).toBe('RETRY');
    expect(calls).toEqual([3, 3, 3, 3, 3]);
    expect(logged).toMatchObject([{ level: 'warn', message: 'delivery will be offered again', events: 3 }] as never);
    fail = async () => {};
    expect(await deliverAll(all.map(envelope))).toBe('SUCCESS');
    expect(handled).toEqual(all as never);
  });

  test('with an invalid event, and one that is refused, keeps both and handles the others in order', async () => {
    const [invalid, refused, ...good] = [deletedEvent({ user_id: 7 }), ...events(9)];
    poison(refused as never);
    const mixed = [...good.slice(0, 4), invalid, refused, ...good.slice(4)];
    expect(await createApp().deliverAll(mixed.map((event) => envelope(event as object)))).toBe('SUCCESS');
    expect(handled).toEqual(good as never);
    const ids = [invalid, refused].map((event) => (event as { event_id: string }).event_id);
    expect((await lettersOf(...ids)).map(({ envelope }) => envelope.data)).toEqual([invalid, refused] as never);
    expect(logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(
      Array(2).fill('error: dead letter stored'),
    );
  });

  test('is tried three times as a whole before it is halved', async () => {
    const all = events(4);
    let failures = 2;
    fail = async () => {
      if (failures-- > 0) throw new Error('not yet');
    };
    expect(await createApp().deliverAll(all.map(envelope))).toBe('SUCCESS');
    expect(calls).toEqual([4, 4, 4]);
    expect(handled).toEqual(all as never);
    poison(all[2] as never);
    calls = [];
    await createApp().deliverAll(all.map(envelope));
    expect(calls).toEqual([4, 4, 4, 2, 2, 1, 1]);
  });

  test('not handled within 8 s comes again, and nothing more is begun of it', async () => {
    const { promise: held, reject } = Promise.withResolvers<void>();
    const { deliverAll } = createApp();
    fail = () => held;
    expect(await deliverAll(events(2).map(envelope))).toBe('RETRY');
    reject(new Error('poison'));
    fail = () => Promise.reject(new Error('poison'));
    const after = deletedEvent();
    await deliverAll([envelope(after)]); // its pauses are as long as those of the first would be
    expect(calls).toEqual([2, 1, 1, 1]);
    expect(await lettersOf(...handled.map(({ event_id: id }) => id), after.event_id)).toHaveLength(1);
  });

  test('of which all are refused ends within the call', async () => {
    fail = () => Promise.reject(new Error('insufficient privilege'));
    const all = events(MAX_EVENTS);
    expect(await createApp().deliverAll(all.map(envelope))).toBe('SUCCESS');
    expect(await lettersOf(...all.map(({ event_id: id }) => id))).toHaveLength(MAX_EVENTS);
  });

  test('of which a dead letter cannot be kept comes again as a whole', async () => {
    await database.sql`revoke insert on dead_letters from taskflow_reminder_service`;
    const [good, invalid] = [deletedEvent(), deletedEvent({ user_id: 7 })];
    const { deliverAll } = createApp();
    const both = [good, invalid].map((event) => envelope(event));
    expect(await deliverAll(both)).toBe('RETRY');
    await database.sql`grant insert on dead_letters to taskflow_reminder_service`;
    expect(await deliverAll(both)).toBe('SUCCESS');
    expect(await lettersOf(good.event_id, invalid.event_id)).toHaveLength(1);
  });

  test('that comes twice multiplies no dead letter, not of what has no id of its own either', async () => {
    const { deliverAll } = createApp();
    const nameless = [{ specversion: '1.0' }, { id: '' }, { id: 'x'.repeat(300) }, []];
    const place = { topic: `t-${crypto.randomUUID()}`, partition: 2, offset: 41 };
    for (let time = 0; time < 3; time++) expect(await deliverAll(nameless, place)).toBe('SUCCESS');
    const ids = [41, 42, 43, 44].map((offset) => `${place.topic}/2/${offset}`);
    const letters =
      await database.sql`select event_id, topic from dead_letters where topic = ${place.topic} order by 1`;
    expect([...letters]).toEqual(ids.map((id) => ({ event_id: id, topic: place.topic })));
  });

  test('that holds an event twice has it handled once', async () => {
    const [first, second] = [deletedEvent(), deletedEvent()];
    expect(await createApp().deliverAll([first, second, first].map((event) => envelope(event)))).toBe('SUCCESS');
    expect(handled).toEqual([first, second] as never);
  });

  test('with a type that this version does not know is handled without it, by a log with it', async () => {
    const all = [deletedEvent(), deletedEvent({ event_type: 'task.archived' }), deletedEvent()];
    expect(await createApp().deliverAll(all.map((event) => envelope(event)))).toBe('SUCCESS');
    expect(handled).toEqual([all[0], all[2]] as never);
    handled = [];
    await createApp({ keepsUnknown: true }).deliverAll(all.map((event) => envelope(event)));
    expect(handled).toEqual(all as never);
  });

  test('of 100 of the longest events that there can be is taken', async () => {
    const recipients = Array.from({ length: 500 }, () => crypto.randomUUID());
    const { changes, task } = longestChange();
    const all = Array.from({ length: MAX_EVENTS }, () => {
      const event = deletedEvent({ changes, recipients });
      return { ...event, task: { ...event.task, ...task } };
    });
    expect(await createApp().deliverAll(all.map(envelope))).toBe('SUCCESS');
    expect(calls).toEqual([MAX_EVENTS]);
    const [{ length } = ''] = [JSON.stringify(all)];
    expect([length > 11_000_000, length < MAX_DELIVERY_BYTES / 5]).toEqual([true, true]);
  });
});

describe('a failing handler', () => {
  test('is offered the event again without end while the reason is transient', async () => {
    const { deliver } = createApp();
    const event = envelope(deletedEvent());
    fail = transient;
    for (let attempt = 0; attempt < 20; attempt++) expect(await deliver(event)).toMatchObject({ status: 'RETRY' });
    fail = async () => {};
    expect(await deliver(event)).toMatchObject({ status: 'SUCCESS' });
  });

  test('refuses an event three times within one delivery, which is then a dead letter', async () => {
    const { deliver } = createApp();
    const event = deletedEvent();
    fail = () => Promise.reject(new Error('poison'));
    expect(await deliver(envelope(event))).toEqual({ code: 200, status: 'SUCCESS' });
    expect(calls).toEqual([1, 1, 1]);
    expect(await lettersOf(event.event_id)).toHaveLength(1);
  });

  test('that refuses without a reason refuses all the same', async () => {
    const event = deletedEvent();
    fail = () => Promise.reject(undefined);
    await createApp().deliver(envelope(event));
    expect(await lettersOf(event.event_id)).toHaveLength(1);
  });

  test('does not count transient errors as refusals', async () => {
    const { deliver } = createApp();
    const event = deletedEvent();
    let attempts = 0;
    fail = () => (attempts++ % 2 === 0 ? Promise.reject(new Error('poison')) : transient());
    for (let delivery = 0; delivery < 3; delivery++) {
      expect(await deliver(envelope(event))).toMatchObject({ status: 'RETRY' });
    }
    expect(await lettersOf(event.event_id)).toEqual([] as never);
  });

  test('shows the age of the oldest delivery that is repeated', async () => {
    let now = 1_000_000;
    const { deliver, metric } = createApp({ now: () => now });
    const event = envelope(deletedEvent());
    fail = transient;
    await deliver(event);
    now += 30_000;
    await deliver(event);
    expect(await metric('taskflow_consumer_retrying_seconds')).toBe(30);
    fail = async () => {};
    await deliver(event);
    expect(await metric('taskflow_consumer_retrying_seconds')).toBe(0);
  });
});

describe('POST /events/replay', () => {
  const replay = (event: object) => createApp().deliver(envelope(event), { route: '/events/replay' });

  test('hands an event to the handler', async () => {
    const event = deletedEvent();
    expect(await replay(event)).toEqual({ code: 200, status: 'SUCCESS' });
    expect(handled).toEqual([event as never]);
  });

  test('says that an event is refused again, or cannot be handled now, and keeps nothing', async () => {
    const [event, invalid] = [deletedEvent(), deletedEvent({ user_id: 7 })];
    expect(await replay(invalid)).toMatchObject({ status: 'REFUSED' });
    fail = () => Promise.reject(new Error('poison'));
    expect(await replay(event)).toMatchObject({ status: 'REFUSED' });
    fail = transient;
    expect(await replay(event)).toMatchObject({ status: 'RETRY' });
    expect(await lettersOf(event.event_id, invalid.event_id)).toEqual([] as never);
  });
});

test('measures from the time of an event to the end of its handling, once however often it is delivered', async () => {
  const event = deletedEvent();
  const { deliver, metric } = createApp({ now: () => Date.parse(event.timestamp) + 2500 });
  fail = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
  await deliver(envelope(event));
  fail = async () => {};
  await deliver(envelope(event));
  const [count, sum] = ['taskflow_consumer_delay_seconds_count', 'taskflow_consumer_delay_seconds_sum'];
  expect([await metric(count), await metric(sum)]).toEqual([1, 2.5]);
});

describe('a dead letter', () => {
  test('is stored once with its envelope', async () => {
    const letter = { ...envelope(deletedEvent()), topic: 'taskflow.tasks.deleted' };
    const { deliver, metric } = createApp();
    const waiting = () => metric('taskflow_dead_letters_waiting');
    const before = await waiting();
    await deliver(letter, { route: '/events/dead-letter' });
    expect(await deliver(letter, { route: '/events/dead-letter' })).toMatchObject({ status: 'SUCCESS' });
    const rows = await database.sql`select app_id, topic, envelope from dead_letters where event_id = ${letter.id}`;
    expect([...rows]).toEqual([{ app_id: 'reminder-service', topic: 'taskflow.tasks.deleted', envelope: letter }]);
    expect(await metric('taskflow_dead_letters_total')).toBe(1);
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
