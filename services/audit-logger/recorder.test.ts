import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { longestChange } from '../../test/support/bulk.ts';
import { eventually } from '../../test/support/wait.ts';
import { addMonth } from './partitions.ts';
import { payloadMac } from './payload-mac.ts';
import { anEvent, aReminder, SEAL_KEY, setUp } from './fixture.ts';

const { database, sql, deliver, deliverAll, metric, close } = await setUp();
beforeAll(() => addMonth(sql, '2026-11-01'));
afterAll(close);

const rowsOf = (...ids: string[]) => database.sql`
  select event_id, event_type, tableoid::regclass::text as partition, partition_key::text, timestamp, payload, payload_mac
  from task_events where event_id in ${database.sql(ids)} order by timestamp, event_id`;

/** Holds a lock of the table until what it gives is called. */
async function hold(mode: 'exclusive' | 'share update exclusive'): Promise<() => Promise<void>> {
  const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holder = database.sql.begin(async (tx) => {
    await tx.unsafe(`lock table task_events in ${mode} mode`);
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  return async () => {
    release.resolve();
    await holder;
  };
}

describe('a delivery', () => {
  test('becomes one row that holds the whole event', async () => {
    const event = aReminder({ colour: 'green' });
    expect(await deliver(event)).toBe('SUCCESS');
    const [row] = await rowsOf(event.event_id);
    expect(row).toMatchObject({
      event_type: 'task.reminder.triggered',
      partition: 'task_events_2026_11',
      timestamp: new Date('2026-11-24T10:00:00Z'),
      payload: event,
    });
  });

  test('of a type that this version does not know is stored too', async () => {
    const event = anEvent();
    expect(await deliver(event)).toBe('SUCCESS');
    expect(await rowsOf(event.event_id)).toHaveLength(1);
  });

  test('that comes again is a success and no second row', async () => {
    const event = anEvent();
    const before = await metric('taskflow_audit_duplicates_total');
    await deliver(event);
    expect(await deliver(event)).toBe('SUCCESS');
    expect(await rowsOf(event.event_id)).toHaveLength(1);
    expect(await metric('taskflow_audit_duplicates_total')).toBe(before + 1);
  });

  test('is answered after its commit, not before', async () => {
    const event = anEvent();
    const release = await hold('exclusive');
    let answered = '';
    const delivery = deliver(event).then((status) => (answered = status));
    await eventually(async () => {
      const [row] = await database.sql`
        select count(*)::int as waiting from pg_stat_activity
        where datname = current_database() and application_name = 'test' and wait_event_type = 'Lock'`;
      return row?.waiting === 1;
    });
    expect(answered).toBe('');
    await release();
    expect(await delivery).toBe('SUCCESS');
    expect(await rowsOf(event.event_id)).toHaveLength(1);
  });
});

describe('a batch', () => {
  const many = (count: number) => Array.from({ length: count }, () => anEvent());
  const idsOf = (events: { event_id: string }[]) => events.map(({ event_id: id }) => id);

  test('is stored by one insert, and each event once however often it comes', async () => {
    const events = many(100);
    const before = await metric('taskflow_audit_insert_seconds_count');
    expect(await deliverAll([...events.slice(0, 50), ...events.slice(0, 50)])).toBe('SUCCESS');
    expect(await deliverAll(events)).toBe('SUCCESS');
    expect((await metric('taskflow_audit_insert_seconds_count')) - before).toBe(2);
    expect(await rowsOf(...idsOf(events))).toHaveLength(100);
  });

  test('delivered to two replicas at once is stored once', async () => {
    const events = many(100);
    const answers = await Promise.all([events, events.toReversed()].map(deliverAll));
    expect(answers).toEqual(['SUCCESS', 'SUCCESS']);
    expect(await rowsOf(...idsOf(events))).toHaveLength(100);
  });

  test('is not failed by an event that Postgres refuses, which is a dead letter', async () => {
    const poison = anEvent({ title: 'a \u0000 that jsonb does not take' });
    const events = [...many(20), poison, ...many(20)];
    expect(await deliverAll(events)).toBe('SUCCESS');
    expect(await rowsOf(...idsOf(events))).toHaveLength(40);
    const [letter] = await database.sql`select app_id from dead_letters where event_id = ${poison.event_id}`;
    expect(letter?.app_id).toBe('audit-logger');
  });

  test('of 100 of the longest events is stored within one delivery', async () => {
    const events = Array.from({ length: 100 }, () => anEvent(longestChange()));
    expect(await deliverAll(events)).toBe('SUCCESS');
    expect(await rowsOf(...idsOf(events))).toHaveLength(100);
  });
});

describe('the partition of a row', () => {
  test('is that of the UTC date of its timestamp', async () => {
    const times = ['2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2026-12-01T00:30:00.000+01:00'];
    const events = times.map((timestamp) => anEvent({ timestamp }));
    await Promise.all(events.map(deliver));
    const rows = await rowsOf(...events.map((event) => event.event_id));
    expect(rows.map((row) => [row.partition, row.partition_key])).toEqual([
      ['task_events_2026_11', '2026-11-30'],
      ['task_events_2026_11', '2026-11-30'],
      ['task_events_2026_12', '2026-12-01'],
    ]);
  });

  test('is made on demand, also for several months in one batch', async () => {
    const events = ['1999-02-28', '2031-01-01', '2026-11-24'].map((day) => anEvent({ timestamp: `${day}T12:00:00Z` }));
    const before = await metric('taskflow_audit_insert_seconds_count');
    expect(await deliverAll(events)).toBe('SUCCESS');
    expect(await metric('taskflow_audit_insert_seconds_count')).toBe(before + 1);
    const rows = await rowsOf(...events.map((event) => event.event_id));
    expect(rows.map((row) => row.partition)).toEqual([
      'task_events_1999_02',
      'task_events_2026_11',
      'task_events_2031_01',
    ]);
  });
});

test('a month that cannot be made at the moment holds up its own events only', async () => {
  const release = await hold('share update exclusive');
  const early = anEvent({ timestamp: '2032-05-01T00:00:00Z' });
  const answers = await Promise.all([anEvent(), early, anEvent()].map(deliver));
  expect(answers).toEqual(['SUCCESS', 'RETRY', 'SUCCESS']);
  await release();
  expect(await deliver(early)).toBe('SUCCESS');
});

test('the MAC of a payload can be computed again from what is stored', async () => {
  const event = anEvent({
    zebra: 1,
    apple: { b: [1.5, 1e21, -0, null, true], a: 'ä"\\\n\u2028' },
    10: 'ten',
    9: 'nine',
  });
  await deliver(event);
  const [row] = await rowsOf(event.event_id);
  expect(Object.keys(row?.payload)).not.toEqual(Object.keys(event));
  expect(Buffer.from(row?.payload_mac)).toEqual(payloadMac(row?.payload, SEAL_KEY));
  expect(Buffer.from(row?.payload_mac)).not.toEqual(payloadMac({ ...row?.payload, zebra: 2 }, SEAL_KEY));
  expect(Buffer.from(row?.payload_mac)).not.toEqual(payloadMac(row?.payload, `${SEAL_KEY}!`));
});
