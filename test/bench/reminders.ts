import { events, PUBSUB } from '#shared/events';
import { reminderOf } from '../../services/notification-service/fixtures/events.ts';
import { createHeap } from '../../services/reminder-service/heap.ts';
import { inTurns } from '../support/load.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';
import { createCrowd, memberId } from './crowd.ts';
import { LOOK_MS, median } from './figures.ts';
import { residentKiB } from './memory.ts';
import { createReport, p99Of, type Report } from './report.ts';

const NAME = 'reminder-service';
const RECIPIENTS = 100;
const LOADED_MS = 60_000;
const FIRED_MS = 180_000;
/** Of many the service holds the next ones (its `HELD_AT_FIRST`). */
const HELD = 10_000;
/** As the service has under way. */
const LANES = 8;

/** Many pending reminders: start and memory; the heap; and how late thousands come that are due in one second. */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('reminders', isSmall);
  const size = isSmall ? { pending: 10_000, due: 300, rounds: 2 } : { pending: 1_000_000, due: 10_000, rounds: 3 };
  const stack = await startStack();
  try {
    await createCrowd(stack.database.sql, RECIPIENTS);
    await benchStart(stack, size, report);
    benchHeap(size, report);
    await benchLateness(stack, size, report);
    await report.save();
  } finally {
    await stack.stop();
  }
}

type Size = { pending: number; due: number; rounds: number };

async function benchStart(stack: RunningStack, { pending, rounds }: Size, report: Report): Promise<void> {
  report.table(`${pending} pending reminders`, `${rounds} starts each; beside: with none pending`);
  const none = await starts(stack, { pending: 0, days: 1 }, rounds);
  for (const days of [30, 1]) {
    const many = await starts(stack, { pending, days }, rounds);
    const over = `over ${days === 1 ? 'a day' : `${days} days`}`;
    const beside = (values: number[]) => ({ what: 'with none', rounds: values });
    report.row({ what: `start, ${over}`, unit: 's', rounds: many.seconds, beside: beside(none.seconds) });
    report.row({
      what: `resident memory, ${over}`,
      unit: 'MiB',
      rounds: many.mebibytes,
      beside: beside(none.mebibytes),
    });
  }
}

/** From its start until it holds what it holds of the next day. */
async function starts(stack: RunningStack, { pending, days }: { pending: number; days: number }, rounds: number) {
  const told = { seconds: [] as number[], mebibytes: [] as number[] };
  await stack.stopOne(NAME);
  await stack.database.sql`truncate reminder_schedule`;
  await writePending(stack, { count: pending, fromS: 3600, overS: days * 86_400 - 7200 });
  await stack.database.sql`vacuum analyze reminder_schedule`;
  const expected = Math.min(HELD, Math.floor((pending / days) * 0.9));
  for (let round = 0; round < rounds; round++) {
    await stack.stopOne(NAME);
    const from = performance.now();
    await stack.start(NAME);
    await eventually(async () => (await held(stack)) >= expected, { ms: LOADED_MS, what: `${expected} to be held` });
    told.seconds.push((performance.now() - from) / 1000);
    told.mebibytes.push(residentKiB(stack.pidOf(NAME) ?? 0) / 1024);
  }
  return told;
}

async function held({ ports }: RunningStack): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ports[NAME]}/metrics`)).text();
  return Number(/^taskflow_reminders_pending\S* (\d+)$/m.exec(text)?.[1] ?? NaN);
}

/** To the millisecond, as the service writes them. */
async function writePending(
  { database: { sql } }: RunningStack,
  { count, fromS, overS }: { count: number; fromS: number; overS: number },
): Promise<void> {
  const ids = Array.from({ length: RECIPIENTS }, (_, n) => memberId(n));
  await sql`
    insert into reminder_schedule (reminder_id, task_id, user_id, task_version, trigger_at, status, title, due_date,
      offset_triggered, recipients, correlation_id, created_at)
    select gen_random_uuid(), gen_random_uuid(), owner, 1, at, 'pending', 'Water the plants',
      to_char(at + interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'PT1H', array[owner], gen_random_uuid(), now() - interval '1 day'
    from generate_series(1, ${count}::int) i
      cross join lateral (select (${ids}::uuid[])[1 + i % ${RECIPIENTS}] as owner,
        date_trunc('milliseconds', now() + make_interval(secs => ${fromS}::float8 + i::float8 * ${overS} / ${count || 1}))) as given (owner, at)`;
}

function benchHeap({ pending, rounds }: Size, report: Report): void {
  report.table(`a heap of ${pending}`, `${rounds} rounds; beside: a Map with the same ids`);
  const entries = Array.from({ length: pending }, () => ({
    taskId: crypto.randomUUID(),
    version: 1,
    at: Math.random(),
  }));
  const told = { push: [] as number[], cancel: [] as number[], set: [] as number[], delete: [] as number[] };
  const microseconds = (work: () => void) => {
    const from = performance.now();
    work();
    return ((performance.now() - from) * 1000) / pending;
  };
  for (let round = 0; round < rounds; round++) {
    const [heap, map] = [createHeap(), new Map<string, object>()];
    told.set.push(microseconds(() => entries.forEach((entry) => map.set(entry.taskId, entry))));
    told.push.push(microseconds(() => entries.forEach(heap.put)));
    told.delete.push(microseconds(() => entries.forEach(({ taskId }) => map.delete(taskId))));
    told.cancel.push(microseconds(() => entries.forEach(({ taskId }) => heap.cancel(taskId, 1))));
  }
  report.row({ what: 'push', unit: 'us', rounds: told.push, beside: { what: 'Map.set', rounds: told.set } });
  report.row({ what: 'cancel', unit: 'us', rounds: told.cancel, beside: { what: 'Map.delete', rounds: told.delete } });
}

async function benchLateness(stack: RunningStack, { due, rounds }: Size, report: Report): Promise<void> {
  report.table(
    `${due} reminders due in one second`,
    `${rounds} rounds, the other pending ones of before still there; beside: as many bare publishes, ${LANES} at once`,
  );
  const told = { bare: [] as number[], published: [] as Late[], inbox: [] as Late[] };
  for (let round = 0; round < rounds; round++) {
    told.bare.push(await publishBare(stack, due));
    const { published, inbox } = await fire(stack, due);
    told.published.push(published);
    told.inbox.push(inbox);
  }
  const beside = { what: 'bare, all', rounds: told.bare };
  for (const [what, late] of [
    ['published', told.published],
    ['in the inbox', told.inbox],
  ] as const) {
    report.row({ what: `late when ${what}, p50`, unit: 's', rounds: late.map(({ p50 }) => p50) });
    report.row({ what: `late when ${what}, p99`, unit: 's', rounds: late.map(({ p99 }) => p99), beside });
  }
}

type Late = { p50: number; p99: number };

/** Events of the same form that no reminder stands behind, until the broker has taken all of them. */
async function publishBare(stack: RunningStack, count: number): Promise<number> {
  const { sidecarPorts, secrets } = stack;
  const { topic } = events['task.reminder.triggered'];
  const url = `http://127.0.0.1:${sidecarPorts[NAME]}/v1.0/publish/${PUBSUB}/${topic}`;
  const headers = { 'content-type': 'application/json', 'dapr-api-token': secrets.DAPR_API_TOKEN };
  const from = performance.now();
  await inTurns(count, LANES, async (i) => {
    const body = JSON.stringify(reminderOf({ id: memberId(i % RECIPIENTS) }));
    const response = await fetch(url, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`publish answered ${response.status}: ${await response.text()}`);
  });
  const seconds = (performance.now() - from) / 1000;
  await stack.settled(FIRED_MS);
  return seconds;
}

async function fire(stack: RunningStack, due: number): Promise<{ published: Late; inbox: Late }> {
  const { sql } = stack.database;
  await sql`delete from reminder_schedule where status = 'triggered'`;
  await sql`truncate notifications, notification_counters`;
  await writePending(stack, { count: due, fromS: 5, overS: 1 });
  const isThere = async () => (await sql`select 1 from notifications offset ${due - 1}`).length > 0;
  await eventually(isThere, { ms: FIRED_MS, everyMs: LOOK_MS, what: `${due} reminders in the inbox` });
  await stack.settled(FIRED_MS);
  const published = await sql<{ late: number }[]>`
    select extract(epoch from published_at - trigger_at)::float8 as late from reminder_schedule where status = 'triggered'`;
  const inbox = await sql<{ late: number }[]>`
    select extract(epoch from created_at - (payload->>'trigger_at')::timestamptz)::float8 as late from notifications`;
  return { published: lateOf(published), inbox: lateOf(inbox) };
}

function lateOf(rows: { late: number }[]): Late {
  const seconds = rows.map(({ late }) => late);
  return { p50: median(seconds), p99: p99Of(seconds) };
}
