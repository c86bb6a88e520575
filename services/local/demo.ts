import './require-bun.ts';
import { bypassProxy } from '#shared/loopback';
import { bun, commandOrExit } from './command-line.ts';
import { Refusal } from './refusal.ts';
import { readRunning, stateFolder } from './state.ts';
import { readEvents, type StreamEvent } from './stream-reader.ts';

const LIMIT_MS = 15_000;
const REMINDER_AHEAD_MS = 2000;
const MINUTE_MS = 60_000;

bypassProxy(process.env);
const { words } = commandOrExit({
  name: 'demo',
  usage: `${bun} run demo [URL]

  shows each event of a task as it arrives, with its latency

  URL  of a TaskFlow that runs elsewhere, instead of the one that \`up\` runs here

  TASKFLOW_STATE  folder of that \`up\` (default .taskflow)`,
  flags: {},
  refuse: refuseAddress,
});
try {
  const url = words[0] ?? readRunning(stateFolder()).url;
  await demo(`${url.replace(/\/$/, '')}/api/v1`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof Refusal ? 2 : 1);
}
process.exit(0);

function refuseAddress(text: string, index: number): string | undefined {
  if (index > 0) return `One URL is enough: ${text} is another one`;
  return /^https?:\/\//.test(text) && URL.canParse(text)
    ? undefined
    : `${text} is no address such as http://localhost:8080`;
}

/** One task's whole life as a client sees it: each call, and the event it causes on an open stream. Throws why not. */
async function demo(api: string): Promise<void> {
  const email = `demo-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const { token } = await call<{ token: string }>(`${api}/auth/signup`, 'POST', { email, password: 'Demo-Passw0rd' });
  console.log(`signed up   ${email}`);

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
}

async function call<T>(url: string, method: string, body: unknown, token?: string): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return (text ? JSON.parse(text) : undefined) as T; // the caller knows which calls answer with a body
}

async function openStream(url: string, token: string): Promise<AsyncIterator<StreamEvent>> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
  if (!response.ok || !response.body)
    throw new Error(`the stream answered ${response.status}: ${await response.text()}`);
  return readEvents(response.body);
}

/** Waits for the next event, which must be of this type, and prints how long after `from` it came. */
async function next(stream: AsyncIterator<StreamEvent>, type: string, from?: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no ${type} came within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  const { value, done } = await Promise.race([stream.next(), late.promise]).finally(() => clearTimeout(timer));
  if (done) throw new Error(`the stream ended before ${type} came`);
  if (value.event !== type) throw new Error(`${type} was expected and ${value.event} came: ${value.data}`);
  if (from !== undefined) console.log(`${type.padEnd(26)}${String(Date.now() - from).padStart(5)} ms`);
}
