import { connect, type Pool } from '#shared/db';
import { eventOf } from '../../services/notification-service/fixtures/events.ts';
import { inTurns } from '../support/load.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { createCrowd, crowdSettings, type Member } from './crowd.ts';
import { deliver } from './delivery.ts';
import { residentKiB } from './memory.ts';
import { createReport, interleaved, type Report } from './report.ts';

const BATCH = 100;
const IN_FLIGHT = 3;
const LOOK_MS = 200;
/** Longer than any export that goes on: one that does not is told, and not waited for. */
const EXPORTED_MS = 15 * 60_000;

type Size = { rows: number; rounds: number; exported: number[]; exports: number };

/** The trail: events to rows, delivered in batches of 100, and the export of all of them to a client that reads. */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('audit', isSmall);
  const size: Size = isSmall
    ? { rows: 1000, rounds: 2, exported: [2000], exports: 2 }
    : { rows: 20_000, rounds: 5, exported: [500_000, 1_000_000], exports: 1 };
  const stack = await startStack({ only: ['audit-logger'], settings: { 'audit-logger': crowdSettings } });
  const bare = connect(stack.database.url(), { name: 'bench', max: IN_FLIGHT });
  try {
    const [admin] = await createCrowd(stack.database.sql, 1, 'admin');
    await stack.database.sql`select audit_add_month(current_date)`;
    await benchRows(stack, bare, size, report);
    for (const rows of size.exported) await benchExport(stack, admin, { ...size, rows }, report);
    await report.save();
  } finally {
    await bare.end();
    await stack.stop();
  }
}

const event = () => eventOf({ id: crypto.randomUUID() }, 'Water the plants');

async function benchRows(stack: RunningStack, bare: Pool, { rows, rounds }: Size, report: Report): Promise<void> {
  report.table(
    `${rows} events to the trail`,
    `${rounds} rounds, batches of ${BATCH}, ${IN_FLIGHT} at once; beside: bare inserts of ${BATCH} rows`,
  );
  const rate = async (write: (events: ReturnType<typeof event>[]) => Promise<unknown>) => {
    const from = performance.now();
    await inTurns(rows / BATCH, IN_FLIGHT, async () => void (await write(Array.from({ length: BATCH }, event))));
    return (rows / (performance.now() - from)) * 1000;
  };
  const told = await interleaved(rounds, {
    bare: () => rate((events) => bare`insert into task_events ${bare(events.map(rowOf))}`),
    ours: () => rate((events) => deliver(stack, 'audit-logger', events)),
  });
  report.row({ what: 'rows', unit: '/s', rounds: told.ours, beside: { what: 'bare', rounds: told.bare } });
}

const rowOf = (given: ReturnType<typeof event>) => ({
  event_id: given.event_id,
  event_type: given.event_type,
  task_id: given.task_id,
  user_id: given.user_id,
  timestamp: given.timestamp,
  payload: given as never,
  correlation_id: given.correlation_id,
  partition_key: given.timestamp.slice(0, 10),
  payload_mac: Buffer.alloc(32),
});

async function benchExport(
  stack: RunningStack,
  admin: Member | undefined,
  { rows, exports }: Size,
  report: Report,
): Promise<void> {
  const { sql } = stack.database;
  await sql`truncate task_events`;
  await sql`
    insert into task_events (event_id, event_type, task_id, user_id, timestamp, payload, correlation_id, partition_key, payload_mac)
    select gen_random_uuid(), 'task.created', gen_random_uuid(), gen_random_uuid(), at, ${sql.json(event() as never)},
      gen_random_uuid(), (at at time zone 'UTC')::date, '\\x00'
    from (select date_trunc('month', now()) + i * interval '1 millisecond' as at from generate_series(1, ${rows}::int) i) as given`;
  await sql`vacuum analyze task_events`;
  report.table(
    `export of ${rows} events`,
    `${exports} rounds; beside: Postgres's copy of the same rows in that order to nowhere`,
  );
  const memory = { first: [] as number[], most: [] as number[] };
  const told = await interleaved(exports, {
    copy: () => copyAll(stack),
    ours: async () => {
      const { seconds, samples } = await exportAll(stack, admin, rows);
      memory.first.push(Math.max(...samples.slice(0, Math.ceil(samples.length / 4))));
      memory.most.push(Math.max(...samples));
      return seconds;
    },
  });
  report.row({ what: 'time', unit: 's', rounds: told.ours, beside: { what: 'copy', rounds: told.copy } });
  report.row({
    what: 'most resident memory',
    unit: 'MiB',
    rounds: memory.most,
    beside: { what: 'in its first quarter', rounds: memory.first },
  });
}

async function copyAll({ database: { sql } }: RunningStack): Promise<number> {
  const from = performance.now();
  await sql`copy (select * from task_events order by timestamp desc, event_id desc) to '/dev/null'`;
  return (performance.now() - from) / 1000;
}

/** Reads and counts the lines. `samples`: resident memory of the service, MiB, every 200 ms. */
async function exportAll(stack: RunningStack, admin: Member | undefined, rows: number) {
  const pid = stack.pidOf('audit-logger') ?? 0;
  const samples = [residentKiB(pid) / 1024];
  const timer = setInterval(() => samples.push(residentKiB(pid) / 1024), LOOK_MS);
  try {
    const from = performance.now();
    const headers = { accept: 'application/x-ndjson', ...admin?.headers };
    const response = await fetch(`http://127.0.0.1:${stack.ports['audit-logger']}/api/v1/audit/events`, {
      headers,
      signal: AbortSignal.timeout(EXPORTED_MS),
    });
    if (response.status !== 200 || !response.body) throw new Error(`the export answered ${response.status}`);
    let lines = 0;
    for await (const chunk of response.body) for (const byte of chunk) if (byte === 10) lines++;
    if (lines !== rows) throw new Error(`${lines} of ${rows} events were exported`);
    return { seconds: (performance.now() - from) / 1000, samples };
  } finally {
    clearInterval(timer);
  }
}
