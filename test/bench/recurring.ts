import { connect, type Pool } from '#shared/db';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';
import { createCrowd, memberId } from './crowd.ts';
import { LOOK_MS } from './figures.ts';
import { createReport, type Report } from './report.ts';

const OWNERS = 1000;
const BATCH = 100;
const DONE_MS = 180_000;
const FILLER = { filler: 'x'.repeat(900) };

/**
 * Due series to their instances and to the inboxes, with no more series in the table and with many that are not due: what
 * is due alone may tell. Beside: as many instances and outbox rows written by bare statements of 100 on one connection.
 */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('recurring', isSmall);
  const size = isSmall
    ? { owners: 50, steps: [{ due: 200, idle: 0 }], rounds: 2 }
    : {
        owners: OWNERS,
        steps: [
          { due: 5000, idle: 0 },
          { due: 10_000, idle: 0 },
          { due: 10_000, idle: 990_000 },
          { due: 1000, idle: 999_000 },
        ],
        rounds: 3,
      };
  const stack = await startStack({ settings: { 'recurring-task-processor': { TICK_SECONDS: '1' } } });
  const bare = connect(stack.database.url('chat-api'), { name: 'bench', max: 1, publishes: true });
  try {
    await createCrowd(stack.database.sql, size.owners);
    for (const step of size.steps) await benchOf(stack, bare, { ...size, ...step }, report);
    await report.save();
  } finally {
    await bare.end();
    await stack.stop();
  }
}

type Step = { owners: number; due: number; idle: number; rounds: number };

async function benchOf(stack: RunningStack, bare: Pool, step: Step, report: Report): Promise<void> {
  const { owners, due, idle, rounds } = step;
  await writeSeries(stack, step);
  report.table(
    `${due} due series of ${owners} people, ${due + idle} in the table`,
    `${rounds} rounds; the processor looks every second; beside: the same rows in bare statements of ${BATCH}`,
  );
  const told = { bare: [] as number[], instances: [] as number[], inbox: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    await forgetInstances(stack);
    told.bare.push(await writeBare(bare, due));
    await forgetInstances(stack);
    const { instances, inbox } = await run(stack, due);
    told.instances.push(instances);
    told.inbox.push(inbox);
  }
  const beside = { what: 'bare', rounds: told.bare };
  report.row({ what: 'until the last instance', unit: 's', rounds: told.instances, beside });
  report.row({ what: 'until the last is in the inbox', unit: 's', rounds: told.inbox, beside });
}

/** Daily ones, today's date handled. The next is due in 23 hours: within the horizon, so that each has one to be made. */
async function writeSeries({ database: { sql } }: RunningStack, { owners, due, idle }: Step): Promise<void> {
  const ids = Array.from({ length: owners }, (_, n) => memberId(n));
  await sql.begin(async (tx) => {
    await tx`set local taskflow.publishes = 'on'`;
    await tx`delete from tasks`;
    await tx`
      insert into tasks (id, user_id, title, recurrence_pattern, timezone, version, due_date, cursor_date, next_instance_at)
      select gen_random_uuid(), (${ids}::uuid[])[1 + i % ${owners}::int], 'Water the plants', 'daily:', 'UTC', 1,
        now() - interval '30 days 1 hour', (now() at time zone 'UTC' - interval '1 hour')::date,
        case when i > ${due}::int then now() + interval '20 hours' end
      from generate_series(1, ${due + idle}::int) i`;
  });
  await sql`vacuum analyze tasks`;
}

/** Of events nothing stays either, so that each round begins as the first. Nobody looks while nothing is due. */
async function forgetInstances({ database: { sql } }: RunningStack): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local taskflow.publishes = 'on'`;
    await tx`delete from tasks where recurrence_pattern is null`;
    await tx`
      update tasks set cursor_date = (now() at time zone 'UTC' - interval '1 hour')::date, next_instance_at = null
      where next_instance_at is null or next_instance_at > now() + interval '20 hours 30 minutes'`;
    await tx`truncate outbox, notifications, notification_counters, task_events`;
  });
}

/** From the instant at which they are due, s. */
async function run(stack: RunningStack, due: number): Promise<{ instances: number; inbox: number }> {
  const { sql } = stack.database;
  await sql.begin(async (tx) => {
    await tx`set local taskflow.publishes = 'on'`; // else chat-api would look through each as a change of others
    await tx`update tasks set next_instance_at = now() where next_instance_at is null and recurrence_pattern is not null`;
  });
  const from = performance.now();
  const seconds = () => (performance.now() - from) / 1000;
  const reach = (table: string) =>
    eventually(
      async () => {
        const [row] = await sql<{ count: number }[]>`select count(*)::int from ${sql(table)}`;
        return (row?.count ?? 0) >= due;
      },
      { ms: DONE_MS, everyMs: LOOK_MS, what: `${due} rows of ${table}` },
    );
  await reach('outbox');
  const instances = seconds();
  await reach('notifications');
  const inbox = seconds();
  await stack.settled(DONE_MS);
  return { instances, inbox };
}

async function writeBare(sql: Pool, count: number): Promise<number> {
  const from = performance.now();
  for (let done = 0; done < count; done += BATCH) {
    await sql`
      with made as (
        insert into tasks (id, user_id, title, due_date, timezone, version)
        select gen_random_uuid(), ${memberId(0)}, 'Water the plants', now(), 'UTC', 1 from generate_series(1, ${BATCH}::int)
        returning id)
      insert into outbox (event_id, event_type, task_id, task_version, event, sent_at)
      select gen_random_uuid(), 'task.created', id, 1, ${sql.json(FILLER)}, now() from made`;
  }
  return (performance.now() - from) / 1000;
}
