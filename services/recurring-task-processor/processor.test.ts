import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { createSidecar } from '#shared/dapr';
import { connect } from '#shared/db';
import { createLog } from '#shared/log';
import { createMetrics } from '#shared/metrics';
import { createDatabase } from '../../test/support/database.ts';
import { createProcessor } from './processor.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Tuesday. */
const NOW = new Date('2026-11-24T12:00:00Z');

const database = await createDatabase();
const sql = connect(database.url('recurring-task-processor'), { name: 'test', max: 2 });
afterAll(async () => {
  await sql.end();
  await database.drop();
});

type Item = { parent_recurring_task_id: string; occurrence_date?: string; advance_past?: string; skipped?: number };
type Result = { status: number; code?: string };
type Answer = (item: Item) => Result | Promise<Result>;
type Call = { path: string; authorization: string | null; tasks: Item[] };

/** Stands where the sidecar's HTTP edge is: keeps what chat-api would have got and answers each item. */
function listen(answer: Answer, port = 0) {
  const calls: Call[] = [];
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { tasks } = (await request.json()) as { tasks: Item[] };
      calls.push({ path: new URL(request.url).pathname, authorization: request.headers.get('authorization'), tasks });
      return Response.json({ results: await Promise.all(tasks.map(answer)) });
    },
  });
  return { calls, port: server.port ?? 0, stop: () => server.stop(true) };
}

async function processorOn(port: number, limits: { maxItems?: number } = {}) {
  const lines: { message: string; task_id?: string }[] = [];
  const log = createLog('recurring-task-processor', { write: (line) => lines.push(JSON.parse(line)) });
  const metrics = createMetrics('recurring-task-processor', { version: '0', commit: '0' });
  const sidecar = await createSidecar({ port, apiToken: '' });
  const { runOnce } = createProcessor({ sql, sidecar, serviceToken: 'the service token', log, metrics, ...limits });
  const metric = async (name: string, labels = '') =>
    Number(new RegExp(`^${name}\\{.*${labels}.*\\} (.*)$`, 'm').exec(await metrics.text())?.[1] ?? 0);
  return { runOnce, metric, lines, stop: sidecar.stop };
}

/** Runs once against a chat-api that answers `answer` for each item, and gives what it was asked. */
async function run(answer: Answer = () => ({ status: 201 }), limits: { maxItems?: number } = {}) {
  const edge = listen(answer);
  const processor = await processorOn(edge.port, limits);
  await processor.runOnce(NOW);
  await Promise.all([edge.stop(), processor.stop()]);
  const items = edge.calls.flatMap(({ tasks }) => tasks);
  return { ...processor, calls: edge.calls, items, dates: items.map((item) => item.occurrence_date) };
}

beforeEach(async () => {
  await database.sql`delete from users`;
});

async function newUser(disabled = false): Promise<string> {
  const id = crypto.randomUUID();
  await database.sql`
    insert into users (id, email, password_hash, disabled_at)
    values (${id}, ${`${id}@example.com`}, 'x', ${disabled ? NOW : null})`;
  return id;
}

/** A daily series due at 09:00 UTC since the 1st, handled up to `cursor_date`, that must be looked at since an hour. */
async function series(
  { user_id, ...changes }: { user_id?: string } & Record<string, unknown> = {},
  { disabled = false } = {},
): Promise<string> {
  const row = {
    id: crypto.randomUUID(),
    user_id: user_id ?? (await newUser(disabled)),
    title: 'Water the plants',
    recurrence_pattern: 'daily:',
    due_date: '2026-11-01T09:00:00Z',
    timezone: 'UTC',
    cursor_date: '2026-11-24',
    next_instance_at: new Date(NOW.getTime() - HOUR),
    ...changes,
  };
  await database.sql`insert into tasks ${database.sql(row)}`;
  return row.id;
}

describe('runOnce', () => {
  test('asks chat-api for the next instance of a due series, with the service token', async () => {
    const id = await series();
    const { calls, metric } = await run();
    expect(calls).toEqual([
      {
        path: '/v1.0/invoke/chat-api/method/api/v1/tasks/batch',
        authorization: 'Bearer the service token',
        tasks: [{ parent_recurring_task_id: id, occurrence_date: '2026-11-25' }],
      },
    ]);
    expect(await metric('taskflow_recurrence_due_series')).toBe(1);
    expect(await metric('taskflow_recurrence_instances_total', 'result="created"')).toBe(1);
    expect(await metric('taskflow_recurrence_last_success_timestamp_seconds')).toBeGreaterThan(0);
  });

  test('asks nothing for series that are not due, have ended, or whose owner is disabled', async () => {
    await series({ next_instance_at: new Date(NOW.getTime() + 1) });
    await series({ next_instance_at: null });
    await series({}, { disabled: true });
    expect((await run()).calls).toEqual([]);
  });

  test('counts what another processor had created as done', async () => {
    await series();
    const { metric, lines } = await run(() => ({ status: 200 }));
    expect(await metric('taskflow_recurrence_instances_total', 'result="existing"')).toBe(1);
    expect(lines).toEqual([]);
  });

  test('sends at most 100 items a call and forgets none of 250', async () => {
    const ids = await Promise.all(Array.from({ length: 250 }, () => series()));
    const { calls, items } = await run();
    expect(calls.map(({ tasks }) => tasks.length)).toEqual([100, 100, 50]);
    expect(new Set(items.map((item) => item.parent_recurring_task_id))).toEqual(new Set(ids));
  });

  test('looks early enough for a long reminder', async () => {
    await series({ reminder_offset: '3 days', cursor_date: '2026-11-26' });
    expect((await run()).dates).toEqual(['2026-11-27']);
  });

  test('keeps to the end of a series and to its time zone', async () => {
    await series({ recurrence_end_date: '2026-11-24T23:00:00Z', cursor_date: '2026-11-23' });
    await series({ timezone: 'Asia/Tokyo', due_date: '2026-11-01T20:00:00Z', cursor_date: '2026-11-24' });
    const { dates } = await run();
    expect(dates.toSorted()).toEqual(['2026-11-24', '2026-11-25']);
  });

  test('keeps to the last date of a series, whatever the time and the zone', async () => {
    const end = { recurrence_end_day: '2026-11-25', recurrence_end_date: '2026-11-25T22:59:59.999Z' };
    const late = { due_date: '2026-11-01T23:00:00Z', timezone: 'Europe/Lisbon' }; // due after that instant
    await series({ ...end, ...late, reminder_offset: '2 days' });
    expect((await run()).dates).toEqual(['2026-11-25']);
  });
});

describe('after downtime', () => {
  const missed = { cursor_date: '2026-11-10' };

  test('latest creates the newest missed date only, and what lies ahead', async () => {
    await series({ ...missed, catch_up: 'latest' });
    const { dates, metric } = await run();
    expect(dates).toEqual(['2026-11-24', '2026-11-25']);
    expect(await metric('taskflow_recurrence_skipped_total')).toBe(13);
  });

  test('is latest when the series does not say', async () => {
    await series(missed);
    expect((await run()).dates).toEqual(['2026-11-24', '2026-11-25']);
  });

  test('all creates those of the last 7 days, oldest first', async () => {
    await series({ ...missed, catch_up: 'all' });
    const { dates, metric } = await run();
    expect(dates).toEqual(Array.from({ length: 9 }, (_, i) => `2026-11-${17 + i}`));
    expect(await metric('taskflow_recurrence_skipped_total')).toBe(6);
  });

  test('none creates no missed date', async () => {
    await series({ ...missed, catch_up: 'none' });
    const { dates, metric } = await run();
    expect(dates).toEqual(['2026-11-25']);
    expect(await metric('taskflow_recurrence_skipped_total')).toBe(14);
  });

  test('none only moves the cursor when nothing lies ahead', async () => {
    const id = await series({ ...missed, catch_up: 'none', recurrence_pattern: 'monthly:15' });
    const { items, metric } = await run();
    expect(items).toEqual([{ parent_recurring_task_id: id, advance_past: '2026-11-15', skipped: 1 }]);
    expect(await metric('taskflow_recurrence_instances_total', 'result="advanced"')).toBe(1);
    expect(await metric('taskflow_recurrence_skipped_total')).toBe(1);
  });
});

describe('a series that is refused', () => {
  const refuse =
    (id: string): Answer =>
    (item) =>
      item.parent_recurring_task_id === id ? { status: 409, code: 'NOT_AN_OCCURRENCE' } : { status: 201 };

  test('is asked for once a run and does not hold up the others', async () => {
    const id = await series({ next_instance_at: new Date(NOW.getTime() - DAY) });
    await Promise.all(Array.from({ length: 150 }, () => series()));
    const { items, metric } = await run(refuse(id));
    expect(items).toHaveLength(151);
    expect(await metric('taskflow_recurrence_instances_total', 'result="refused"')).toBe(1);
    expect(await metric('taskflow_recurrence_instances_total', 'result="created"')).toBe(150);
  });

  test('is logged when it begins to be, not at each run', async () => {
    const id = await series();
    const edge = listen(refuse(id));
    const { runOnce, lines, stop } = await processorOn(edge.port);
    await runOnce(NOW);
    await runOnce(NOW);
    await Promise.all([edge.stop(), stop()]);
    expect(edge.calls).toHaveLength(2);
    expect(lines).toMatchObject([{ message: 'series refused', task_id: id, code: 'NOT_AN_OCCURRENCE' }]);
  });

  test.each([{ recurrence_pattern: 'hourly:' }, { timezone: 'Middle/Earth' }])(
    'for %o never reaches chat-api, and the others do',
    async (broken) => {
      const [id, healthy] = [await series(broken), await series()];
      const { items, lines } = await run();
      expect(items.map((item) => item.parent_recurring_task_id)).toEqual([healthy]);
      expect(lines).toMatchObject([{ message: 'series refused', task_id: id }]);
    },
  );
});

test('a sidecar that is absent fails the run; once it is back, the next run does all', async () => {
  await series();
  const closed = listen(() => ({ status: 201 }));
  await closed.stop();
  const { runOnce, stop } = await processorOn(closed.port);
  await expect(runOnce(NOW)).rejects.toMatchObject({ name: 'InvokeError', status: 0 });

  const edge = listen(() => ({ status: 201 }), closed.port);
  await runOnce(NOW);
  await Promise.all([edge.stop(), stop()]);
  expect(edge.calls).toHaveLength(1);
});

describe('users take turns', () => {
  /** So many series of one user, all due since the same microsecond, before those of anybody else. */
  async function hoard(count: number): Promise<string[]> {
    const next_instance_at = database.sql`'2026-11-20T11:00:00.000123Z'`;
    const user_id = await newUser();
    return Promise.all(Array.from({ length: count }, () => series({ user_id, next_instance_at })));
  }
  const seriesOf = (call: Call | undefined) => call?.tasks.map((item) => item.parent_recurring_task_id) ?? [];

  test('so that who has one series does not wait for the hundreds of another, all of which are asked for once', async () => {
    const many = await hoard(250);
    const others = [await series(), await series(), await series()];
    const { calls, items } = await run();
    expect(calls.map(({ tasks }) => tasks.length)).toEqual([4, 10, 100, 100, 39]);
    expect(seriesOf(calls[0])).toContainValues(others);
    expect(items.map((item) => item.parent_recurring_task_id).toSorted()).toEqual([...many, ...others].toSorted());
  });

  test('and what goes beyond some thousands of one user waits for the next run', async () => {
    await hoard(50);
    const others = [await series(), await series()];
    const { calls } = await run(undefined, { maxItems: 11 });
    expect(calls.map(({ tasks }) => tasks.length)).toEqual([3, 10]);
    expect(seriesOf(calls[0])).toContainValues(others);
  });

  test('and a series of which hundreds of dates are to be made has 10 of them at a look', async () => {
    const notice = { reminder_offset: '365 days', next_instance_at: new Date(NOW.getTime() - 300 * DAY) };
    const early = await series(notice);
    const other = await series();
    const { calls } = await run();
    expect(calls.map(seriesOf)).toEqual([[...Array(10).fill(early), other]]);
  });

  test('and a series that has dates left after its turn is met again behind, and found due once', async () => {
    const id = await series({ reminder_offset: '365 days', next_instance_at: new Date(NOW.getTime() - 300 * DAY) });
    const { dates, metric } = await run(async ({ occurrence_date = '' }) => {
      await database.sql`
        update tasks set cursor_date = greatest(cursor_date, ${occurrence_date}::date),
          next_instance_at = next_instance_at + interval '1 day'
        where id = ${id}`;
      return { status: 201 };
    });
    expect([dates.length, dates.at(-1)]).toEqual([20, '2026-12-14']);
    expect(await metric('taskflow_recurrence_due_series')).toBe(1);
  });

  test('and whose series ask for many dates each comes to the limit with fewer of them', async () => {
    const user_id = await newUser();
    const notice = { reminder_offset: '365 days', next_instance_at: new Date(NOW.getTime() - 300 * DAY) };
    await Promise.all(Array.from({ length: 50 }, () => series({ user_id, ...notice })));
    const { items } = await run(undefined, { maxItems: 110 });
    expect(items).toHaveLength(110);
  });
});

describe('between two series', () => {
  /** Runs on 20 series, asked for nothing else before each of them than whether to stop. */
  async function runAsking(isStopping: () => boolean): Promise<Call[]> {
    await Promise.all(
      Array.from({ length: 20 }, () => series({ due_date: '1970-01-01T09:00:00Z', cursor_date: null })),
    );
    const edge = listen(() => ({ status: 201 }));
    const processor = await processorOn(edge.port);
    const signal = {
      get aborted() {
        return isStopping();
      },
    };
    await processor.runOnce(NOW, signal as AbortSignal);
    await Promise.all([edge.stop(), processor.stop()]);
    return edge.calls;
  }

  test('the event loop is given back, so that probes are answered', async () => {
    let turns = 0;
    let turning = setImmediate(function turn() {
      turns += 1;
      turning = setImmediate(turn);
    });
    const seen = new Set<number>();
    await runAsking(() => {
      seen.add(turns);
      return false;
    });
    clearImmediate(turning);
    expect(seen.size).toBeGreaterThanOrEqual(20);
  });

  test('the run ends when the service stops', async () => {
    let looks = 0;
    expect(await runAsking(() => ++looks > 5)).toEqual([]);
    expect(looks).toBeLessThan(10);
  });
});
