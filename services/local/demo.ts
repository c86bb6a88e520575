import './require-bun.ts';
import { bypassProxy } from '#shared/loopback';
import { bun, commandOrExit } from './machine/command-line.ts';
import { operate } from './operate.ts';
import { codeOf, Refusal } from './machine/refusal.ts';
import { watchSignals } from './machine/signals.ts';
import { readRunning, stateFolder } from './state/state.ts';
import { readEvents, type StreamEvent } from './stream-reader.ts';

const LIMIT_MS = 15_000;
const REMINDER_AHEAD_MS = 2000;
const MINUTE_MS = 60_000;
/** As a shell has it of SIGINT. */
const INTERRUPTED = 130;

bypassProxy(process.env);
const { words } = commandOrExit({
  name: 'demo',
  usage: `${bun} run demo [URL]

  shows each event of a task as it arrives, with its latency, and removes the account that
  it made for it

  URL  of a TaskFlow that runs elsewhere, instead of the one that \`up\` runs here; the
       account stays there

  TASKFLOW_STATE  folder of that \`up\` (default .taskflow)`,
  flags: {},
  refuse: refuseAddress,
});
const signals = watchSignals();
signals.onHurry(() => process.exit(INTERRUPTED));
try {
  process.exit(await withAccount(words[0]));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof Refusal ? 2 : 1);
}

function refuseAddress(text: string, index: number): string | undefined {
  if (index > 0) return `One URL is enough, and ${text} is another`;
  return /^https?:\/\//.test(text) && URL.canParse(text)
    ? undefined
    : `${text} is no address such as http://localhost:8080`;
}

/** Makes an account, shows the demo, and removes the account whatever comes of it. Answers the exit code. */
async function withAccount(elsewhere: string | undefined): Promise<number> {
  const running = elsewhere === undefined ? readRunning(stateFolder()) : undefined;
  const api = `${(elsewhere ?? running?.url ?? '').replace(/\/$/, '')}/api/v1`;
  const email = `demo-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const { token } = await call<{ token: string }>(`${api}/auth/signup`, 'POST', { email, password: 'Demo-Passw0rd' });
  console.log(`signed up   ${email}`);
  try {
    return await Promise.race([demo(api, token), signals.first.then(() => INTERRUPTED)]);
  } finally {
    if (running) await remove(email, running.settings['chat-api']);
    else console.log(`${email} stays there: only an operator can remove it.`);
  }
}

/** The API has no call for it. A command that fails has said why. */
async function remove(email: string, settings: Record<string, string>): Promise<void> {
  const exitCode = await operate('chat-api', ['users', 'delete', email], { settings, stdout: 'ignore' });
  console.log(exitCode === 0 ? `removed     ${email}` : `${email} stays: it could not be removed.`);
}

/** One task's whole life as a client sees it: each call, and the event it causes on an open stream. Throws why not. */
async function demo(api: string, token: string): Promise<number> {
  const stream = await openStream(`${api}/notifications/stream`, token);
  await next(stream, 'ready');
  console.log('stream      open\n');

  const triggerAt = Date.now() + REMINDER_AHEAD_MS;
  const dueDate = new Date(triggerAt + MINUTE_MS).toISOString();
  const body = { title: 'Water the plants', priority: 'high', due_date: dueDate, reminder_offset: 'PT1M' };
  const act = async <T>(method: string, path: string, fields: unknown, type: string): Promise<T> => {
    const from = Date.now();
    const result = await call<T>(`${api}${path}`, method, fields, token);
    await next(stream, type, from);
    return result;
  };
  const { id } = await act<{ id: string }>('POST', '/tasks', body, 'task.created');
  await act('PATCH', `/tasks/${id}`, { title: 'Water all plants' }, 'task.updated');
  await next(stream, 'task.reminder.triggered', triggerAt);
  await act('PATCH', `/tasks/${id}`, { completed: true }, 'task.completed');
  await act('DELETE', `/tasks/${id}`, undefined, 'task.deleted');
  console.log('\nall five kinds of event arrived');
  return 0;
}

async function call<T>(url: string, method: string, body: unknown, token?: string): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(LIMIT_MS),
  }).catch((cause: unknown) => {
    throw new Error(`${new URL(url).origin} does not answer (${codeOf(cause) ?? String(cause)}).`, { cause });
  });
  const text = await response.text();
  const answer = text === '' ? undefined : parse(text);
  if (response.ok && (text === '' || answer !== undefined)) return answer as T; // the caller knows which calls answer with a body
  const message = (answer as { message?: string } | undefined)?.message ?? 'this is no TaskFlow';
  throw new Error(`${method} ${url} answered ${response.status}: ${message}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // something else answers at that address
  }
}

async function openStream(url: string, token: string): Promise<AsyncIterator<StreamEvent>> {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const response = await within(fetch(url, { headers }), 'no stream opened');
  if (!response.ok || !response.body)
    throw new Error(`the stream answered ${response.status}: ${await response.text()}`);
  return readEvents(response.body);
}

/** Waits for the next event, which must be of this type, and prints how long after `from` it came. */
async function next(stream: AsyncIterator<StreamEvent>, type: string, from?: number): Promise<void> {
  const { value, done } = await within(stream.next(), `no ${type} came`);
  if (done) throw new Error(`the stream ended before ${type} came`);
  if (value.event !== type) throw new Error(`${type} was expected and ${value.event} came: ${value.data}`);
  if (from !== undefined) console.log(`${type.padEnd(26)}${String(Date.now() - from).padStart(5)} ms`);
}

async function within<T>(work: Promise<T>, otherwise: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${otherwise} within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
