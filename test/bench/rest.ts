import { columns } from '../../services/chat-api/changes/columns.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { type Cpu, cpuOf } from './cpu.ts';
import { createCrowd, crowdSettings, type Member, memberId } from './crowd.ts';
import { type Caller, openCaller } from './keep-alive.ts';
import { findPgbench, pgbench } from './pgbench.ts';
import { createReport, interleaved, p99Of } from './report.ts';

const TASKS = 50;
const DELIVERED_MS = 240_000;
const DESCRIPTION = 'x'.repeat(100);
/** As long as the event of such a task. */
const EVENT = JSON.stringify({ filler: 'x'.repeat(900) });

const taskId = (n: number): string => memberId(n).replace('-4000-', '-4001-');
/** What `memberId` and `taskId` say of pgbench's client. */
const numbered = (group: string) => `('00000000-0000-${group}-8000-' || lpad(to_hex(:client_id::int), 12, '0'))::uuid`;
const [me, mine] = [numbered('4000'), numbered('4001')];
const selected = `select ${columns.join(', ')} from tasks`;
const outbox = (version: string) =>
  `insert into outbox (event_id, event_type, task_id, task_version, event, sent_at) values (uuidv7(), 'task.created', ${mine}, ${version}, '${EVENT}', now())`;

/** What is asked of us, and what asks the same of Postgres alone. `n`: of the connection; `i`: of the request. */
type Operation = { request(n: number, i: number): [string, string, object?]; script: string };
const operations: Record<string, Operation> = {
  'list of 50': {
    request: () => ['GET', `/api/v1/tasks?limit=${TASKS}`],
    script: `${selected} where user_id = ${me} order by created_at desc, id desc limit ${TASKS + 1};`,
  },
  read: { request: (n) => ['GET', `/api/v1/tasks/${taskId(n)}`], script: `${selected} where id = ${mine};` },
  update: {
    request: (n, i) => ['PUT', `/api/v1/tasks/${taskId(n)}`, { title: `Title ${i}` }],
    script: `
      begin;
      ${selected} where id = ${mine} for update;
      update tasks set title = 'Title ' || random(), updated_at = now(), version = version + 1 where id = ${mine} returning version \\gset
      ${outbox(':version::int')};
      commit;`,
  },
  create: {
    request: (_, i) => ['POST', '/api/v1/tasks', { title: `Measure ${i} times`, description: DESCRIPTION }],
    script: `
      begin;
      insert into tasks (id, user_id, title, description, version) values (uuidv7(), ${me}, 'Measure twice', '${DESCRIPTION}', 1);
      ${outbox('1').replace(mine, 'uuidv7()')};
      commit;`,
  },
};

/** Requests a second with the whole pipeline running, beside pgbench with the same statements on the same server. */
export async function bench({ isSmall }: { isSmall: boolean }): Promise<void> {
  const report = createReport('rest', isSmall);
  const size = isSmall
    ? { connections: [8], rounds: 2, seconds: 1 }
    : { connections: [1, 8, 32, 64], rounds: 5, seconds: 2 };
  const program = await findPgbench();
  const settings = { ...crowdSettings, REQUESTS_PER_SECOND: '100000', TASKS_PER_USER: '10000000' };
  const stack = await startStack({ settings: { 'chat-api': settings } });
  try {
    const people = await createCrowd(stack.database.sql, Math.max(...size.connections));
    await fill(stack, people.length);
    for (const [name, { request, script }] of Object.entries(operations)) {
      report.table(
        `${name}, requests a second`,
        `${size.rounds} rounds of ${size.seconds} s each in turn, a user to each connection; all five services run`,
      );
      for (const count of size.connections) {
        const callers = await openCallers(stack, people.slice(0, count));
        const load: Load = { callers, request, seconds: size.seconds, latencies: [], cpu: [] };
        const limit = async () =>
          program === null
            ? NaN
            : pgbench(program, stack.database.url(), script, { clients: count, seconds: size.seconds });
        const ours = () => requestsPerSecond(stack, load);
        const told = await interleaved(size.rounds, { limit, ours });
        for (const { caller } of callers) caller.close();
        report.row({
          what: `${count} connections`,
          unit: '/s',
          rounds: told.ours,
          p99: p99Of(load.latencies),
          beside: program === null ? undefined : { what: 'pgbench', rounds: told.limit },
        });
        for (const process of ['chat-api', 'Postgres'])
          report.row({
            what: `  CPU of a request, ${process}`,
            unit: 'us',
            rounds: load.cpu.map((each) => (each.get(process) ?? NaN) * 1000),
          });
      }
    }
    const startedAt = performance.now();
    await stack.settled(DELIVERED_MS);
    report.table('after all of that', 'the events of the last table wait for the broker and for three consumers');
    report.row({ what: 'until all was delivered', unit: 's', rounds: [(performance.now() - startedAt) / 1000] });
    await report.save();
  } finally {
    await stack.stop();
  }
}

type Load = {
  callers: { caller: Caller; headers: Member['headers'] }[];
  request: Operation['request'];
  seconds: number;
  /** Of each request, ms. */
  latencies: number[];
  /** Of a request in each round, ms by process. */
  cpu: Cpu[];
};

const openCallers = ({ ports }: RunningStack, people: Member[]) =>
  Promise.all(people.map(async ({ headers }) => ({ caller: await openCaller(ports['chat-api']), headers })));

/** Closed loop: each connection asks again as soon as it is answered. */
async function requestsPerSecond(stack: RunningStack, load: Load): Promise<number> {
  const { callers, request, seconds, latencies, cpu } = load;
  const before = await cpuOf(stack);
  const startedAt = performance.now();
  let done = 0;
  const loop = async ({ caller, headers }: Load['callers'][number], n: number) => {
    for (let at = startedAt; at < startedAt + seconds * 1000;) {
      const [method, path, body] = request(n, latencies.length);
      const status = await caller.call(method, path, headers, body && JSON.stringify(body));
      if (status >= 300) throw new Error(`${method} ${path} answered ${status}`);
      const answeredAt = performance.now();
      latencies.push(answeredAt - at);
      [at, done] = [answeredAt, done + 1];
    }
  };
  await Promise.all(callers.map(loop));
  const rate = (done / (performance.now() - startedAt)) * 1000;
  const after = await cpuOf(stack);
  cpu.push(new Map([...after].map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / done])));
  return rate;
}

/** Fifty tasks each, the first of them with the number of its owner. */
async function fill({ database: { sql } }: RunningStack, people: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local taskflow.publishes = 'on'`;
    await tx`
      insert into tasks (id, user_id, title, description, version, created_at)
      select case when i = 1 then replace(id::text, '-4000-', '-4001-')::uuid else gen_random_uuid() end, id, 'Task ' || i,
        ${DESCRIPTION}, 1, now() - i * interval '1 minute'
      from users, generate_series(1, ${TASKS}::int) i`;
  });
  await sql`vacuum analyze tasks`;
}
