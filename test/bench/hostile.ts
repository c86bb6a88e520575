import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Person, signUp, signUpMany } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { median, percentile } from './figures.ts';
import { cases, type Target } from './hostile-caller.ts';

const PASSWORD = 'Sunny-Day-42';
const ROUNDS = 2;
const PHASE_SECONDS = 4;
/** Of the person who is measured. */
const RATE = 40;
const LIMIT = 3;
/** Longest for the events of tens of thousands of tasks. */
const SETTLE_MS = 240_000;
const OWN_TASKS = 20_000;

/**
 * What one hostile caller does to another person's GET /tasks: each case is measured in turns with a quiet phase. The caller is
 * a process of its own with the lowest priority, so that what is seen is the work that he makes and not the two cores that he
 * would take as a neighbour. The controls call nothing of ours: what they do is the machine's. The limits are those of an
 * installation, not those of tests.
 */
export async function bench({ cases: chosen }: { cases: string[] }): Promise<void> {
  const names = Object.keys(cases).filter((name) => chosen.length === 0 || chosen.includes(name));
  const bare = await startBareServer();
  const stack = await startStack({
    asShipped: true,
    settings: { 'recurring-task-processor': { TICK_SECONDS: '2' } },
  });
  try {
    const [person, hostile] = [await signUp(stack), await signUp(stack)];
    const accounts = await signUpMany(stack, 12);
    await person.ask('POST', '/tasks/batch', { tasks: Array.from({ length: 40 }, (_, i) => ({ title: `Task ${i}` })) });
    await fill(stack, hostile);
    const target: Target = {
      chat: origin(stack, '/api/v1/tasks'),
      notifications: origin(stack, '/api/v1/notifications'),
      audit: origin(stack, '/api/v1/audit/events'),
      bare: bare.url,
      token: hostile.token,
      accounts: accounts.map(({ email }) => email),
      password: PASSWORD,
      victim: person.email,
    };
    console.log(
      `\nanother person's GET /tasks?limit=20, ${RATE} a second: ms, ${ROUNDS} rounds of ${PHASE_SECONDS} s quiet and ${PHASE_SECONDS} s hostile in turn (limit: ${LIMIT} x p99; load of the machine before: ${loadavg()[0]?.toFixed(1)})`,
    );
    await warmUp(stack, [person, ...accounts]);
    await measure(person);
    for (const name of names) report(name, await compare(stack, person, name, target));
  } finally {
    bare.stop();
    await stack.stop();
  }
}

const origin = (stack: RunningStack, path: string) => new URL(stack.url(path)).origin;

/**
 * By SQL, since it is not what is measured: the tasks of somebody who has used what he may for years, and their trail. As one
 * who publishes himself, or 20,000 events of these tasks would be under way for minutes.
 */
async function fill({ database: { sql } }: RunningStack, { id }: Person): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local taskflow.publishes = 'on'`;
    await tx`
      insert into tasks (id, user_id, title, description, version)
      select gen_random_uuid(), ${id}, 'Task ' || n, repeat(md5(n::text), 156), 1 from generate_series(1, ${OWN_TASKS}) n`;
  });
  await sql`
    insert into task_events (event_id, event_type, task_id, user_id, timestamp, payload, correlation_id, partition_key, payload_mac)
    select gen_random_uuid(), 'task.created', gen_random_uuid(), ${id}, now(), jsonb_build_object('text', repeat(md5(n::text), 156)),
      gen_random_uuid(), (now() at time zone 'UTC')::date, '' from generate_series(1, ${OWN_TASKS}) n`;
  await sql`analyze tasks`;
}

/** Connections to the database are opened and code is compiled at its first use: once, and not by who is hostile. */
async function warmUp(stack: RunningStack, people: Person[]): Promise<void> {
  const logIn = ({ email }: Person) =>
    fetch(stack.url('/api/v1/auth/login'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: PASSWORD }),
    }).then((answer) => answer.arrayBuffer());
  await Promise.all(people.map(logIn));
  for (let round = 0; round < 20; round++) await Promise.all([...people, ...people].map(list));
}

interface Compared {
  quiet: number[];
  hostile: number[];
  counts: Record<string, number>;
  /** How late the meter itself was at the worst, ms. */
  meterLateMs: number;
}

async function compare(stack: RunningStack, person: Person, name: string, target: Target): Promise<Compared> {
  const all: Compared = { quiet: [], hostile: [], counts: {}, meterLateMs: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    await stack.settled(SETTLE_MS); // or the events of before would make it a hostile one
    const quiet = await measure(person);
    const attack = await begin(name, target);
    const hostile = await measure(person);
    for (const [answer, count] of Object.entries(await attack.end()))
      all.counts[answer] = (all.counts[answer] ?? 0) + count;
    all.quiet.push(...quiet.ms);
    all.hostile.push(...hostile.ms);
    all.meterLateMs = Math.max(all.meterLateMs, quiet.lateMs, hostile.lateMs);
    await Bun.sleep(500); // what is under way ends
  }
  return all;
}

/** Open loop: each call at its time, whether or not earlier ones were answered, and measured from that time. */
async function measure(person: Person): Promise<{ ms: number[]; lateMs: number }> {
  const taken: number[] = [];
  const calls: Promise<void>[] = [];
  let lateMs = 0;
  const startedAt = performance.now();
  for (let i = 0; i < RATE * PHASE_SECONDS; i++) {
    const at = startedAt + (i * 1000) / RATE;
    await Bun.sleep(Math.max(0, at - performance.now()));
    lateMs = Math.max(lateMs, performance.now() - at);
    calls.push(list(person).then((isAnswered) => void taken.push(isAnswered ? performance.now() - at : Infinity)));
  }
  await Promise.all(calls);
  return { ms: taken, lateMs };
}

async function list(person: Person): Promise<boolean> {
  const answer = await person.call('GET', '/tasks?limit=20');
  await answer.arrayBuffer();
  return answer.ok;
}

async function startBareServer() {
  const server = Bun.spawn([process.execPath, join(import.meta.dir, 'bare-server.ts')], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const { value } = await server.stdout.getReader().read();
  const port = new TextDecoder().decode(value).trim();
  return { url: `http://127.0.0.1:${port}`, stop: () => void server.stdin.end() };
}

async function begin(name: string, target: Target) {
  const script = join(import.meta.dir, 'hostile-caller.ts');
  const caller = Bun.spawn(['nice', '-n', '19', process.execPath, script, name, JSON.stringify(target)], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
    detached: true, // a session, so that Linux has a group of its priority
  });
  await leastOfAll(caller.pid);
  const reader = caller.stdout.getReader();
  await reader.read(); // begun
  return {
    async end(): Promise<Record<string, number>> {
      caller.stdin.end();
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read())
        text += new TextDecoder().decode(part.value);
      return JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Record<string, number>;
    },
  };
}

/** Where Linux shares the processors between sessions first, `nice` holds within one alone (sched(7), the autogroup feature). */
const leastOfAll = (pid: number) => writeFile(`/proc/${pid}/autogroup`, '19').catch(() => {}); // there are no such groups

function report(name: string, { quiet, hostile, counts, meterLateMs }: Compared): void {
  const [before, after] = [percentile(quiet, 0.99), percentile(hostile, 0.99)];
  const ratio = after / before;
  const figures = [
    `p50 ${median(quiet).toFixed(1)} -> ${median(hostile).toFixed(1)}`,
    `p99 ${before.toFixed(1)} -> ${after.toFixed(1)}`,
    `${ratio.toFixed(2)} x${ratio > LIMIT ? ' ABOVE' : ''}`,
  ].join('  ');
  const answers = Object.entries(counts)
    .map(([answer, count]) => `${count} ${answer}`)
    .join(', ');
  console.log(
    `  ${name.padEnd(18)} ${figures.padEnd(50)} (${cases[name]?.about}: ${answers}; meter late ${meterLateMs.toFixed(0)})`,
  );
}
