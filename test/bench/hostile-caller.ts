// One hostile caller in a process of its own, started by hostile.ts: does what the case says until its input ends, then
// prints how often it was answered how.
import { setTimeout as sleep } from 'node:timers/promises';

/** Where to call, and as whom. */
export interface Target {
  /** Base addresses, without `/api/v1`. */
  chat: string;
  notifications: string;
  audit: string;
  /** Of a server that only answers. */
  bare: string;
  /** The hostile user's own. */
  token: string;
  /** Accounts of the hostile user, all with one password. */
  accounts: string[];
  password: string;
  victim: string;
}

type Act = (target: Target) => Promise<number | string>;
interface Case {
  about: string;
  /** How many at once. */
  inFlight: number;
  act: Act;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const MIB = 2 ** 20;
const bomb = `{"a":[${'0,'.repeat(MIB / 2 - 8)}0]}`;
const longText = JSON.stringify({ title: 'A', description: 'x', more: 'é'.repeat(MIB / 2 - 64) });
const batch = JSON.stringify({ tasks: Array.from({ length: 100 }, (_, i) => ({ title: `Item ${i}` })) });
const rare = { due_date: '1970-01-01T09:00:00Z', timezone: 'Europe/Berlin', recurrence_pattern: 'daily:', title: 'S' };
const series = JSON.stringify({ tasks: Array.from({ length: 100 }, () => rare) });

async function send(url: string, method: string, headers: Record<string, string>, body?: string): Promise<number> {
  const answer = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
  await answer.arrayBuffer();
  return answer.status;
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const api = (base: string, path: string) => `${base}/api/v1${path}`;
const logIn = (target: Target, email: string, password: string) =>
  send(api(target.chat, '/auth/login'), 'POST', JSON_TYPE, JSON.stringify({ email, password }));

/** Sends what it is told on a connection of its own, reads nothing beyond what the kernel takes, and holds it for a while. */
function hold(base: string, head: string, trickle: string): Promise<string> {
  const { hostname, port } = new URL(base);
  const { promise, resolve } = Promise.withResolvers<string>();
  let timer: ReturnType<typeof setInterval>;
  void Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.pause();
        socket.write(head.replace('HOST', `${hostname}:${port}`));
        timer = setInterval(() => (trickle === '' ? undefined : socket.write(trickle)), 250);
        setTimeout(() => socket.terminate(), 3000);
      },
      data() {},
      error: () => resolve('cut off'),
      close() {
        clearInterval(timer);
        resolve('held');
      },
    },
  }).catch(() => resolve('not connected'));
  return promise;
}
const unread = (base: string, path: string, target: Target, accept = '*/*') =>
  hold(
    base,
    `GET /api/v1${path} HTTP/1.1\r\nhost: HOST\r\nauthorization: Bearer ${target.token}\r\naccept: ${accept}\r\n\r\n`,
    '',
  );

/** By name. */
export const cases: Record<string, Case> = {
  'control: spin': {
    about: 'no calls: a core in vain, at the priority of all callers',
    inFlight: 1,
    async act() {
      for (const end = performance.now() + 10; performance.now() < end;);
      await sleep(0);
      return 'spun';
    },
  },
  'control: bare': {
    about: 'calls of a server that only answers and is none of ours, as fast as they come',
    inFlight: 32,
    act: ({ bare }) => send(bare, 'GET', {}),
  },
  'control: live': {
    about: 'GET /health/live, as fast as they come',
    inFlight: 32,
    act: ({ chat }) => send(`${chat}/health/live`, 'GET', {}),
  },
  'json bombs': {
    about: 'anonymous bodies of 1 MiB with half a million values',
    inFlight: 4,
    act: ({ chat }) => send(api(chat, '/tasks'), 'POST', JSON_TYPE, bomb),
  },
  'slow bodies': {
    about: 'anonymous logins whose body comes byte by byte',
    inFlight: 200,
    act: ({ chat }) =>
      hold(
        chat,
        'POST /api/v1/auth/login HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\ncontent-length: 16000\r\n\r\n{',
        ' ',
      ),
  },
  'wrong passwords': {
    about: "wrong logins at the other's account",
    inFlight: 60,
    act: (target) => logIn(target, target.victim, 'Wrong-Day-42'),
  },
  'right passwords': {
    about: 'right logins of own accounts',
    inFlight: 110,
    act: (target) => logIn(target, pick(target.accounts), target.password),
  },
  'long emails': {
    about: 'logins with an email of 15,000 characters',
    inFlight: 8,
    act: (target) => logIn(target, `${'a.'.repeat(7500)}@example.com`, target.password),
  },
  'made-up tokens': {
    about: 'API tokens that are none',
    inFlight: 50,
    act: ({ chat }) => send(api(chat, '/tasks'), 'GET', bearer(`tf_${crypto.randomUUID().replaceAll('-', '')}`)),
  },
  'made-up refreshes': {
    about: 'refresh tokens that are none',
    inFlight: 50,
    act: ({ chat }) =>
      send(api(chat, '/auth/refresh'), 'POST', JSON_TYPE, JSON.stringify({ refresh_token: crypto.randomUUID() })),
  },
  lists: {
    about: 'own lists of 20, as fast as they come',
    inFlight: 32,
    act: ({ chat, token }) => send(api(chat, '/tasks?limit=20'), 'GET', bearer(token)),
  },
  searches: {
    about: 'searches in 20,000 own tasks of 5,000 characters that find nothing',
    inFlight: 32,
    act: ({ chat, token }) => send(api(chat, '/tasks?q=nothing-of-the-kind'), 'GET', bearer(token)),
  },
  'whole lists': {
    about: 'own list of 20,000 tasks, whole',
    inFlight: 8,
    act: ({ chat, token }) => send(api(chat, '/tasks'), 'GET', bearer(token)),
  },
  'unread lists': {
    about: 'the same, and nothing of it read',
    inFlight: 8,
    act: (target) => unread(target.chat, '/tasks', target),
  },
  'unread exports': {
    about: 'own trail as NDJSON, and nothing of it read',
    inFlight: 20,
    act: (target) => unread(target.audit, '/audit/events', target, 'application/x-ndjson'),
  },
  batches: {
    about: 'batches of 100 new tasks',
    inFlight: 8,
    act: ({ chat, token }) => send(api(chat, '/tasks/batch'), 'POST', { ...bearer(token), ...JSON_TYPE }, batch),
  },
  'old series': {
    about: 'batches of 100 daily series due 1970',
    inFlight: 2,
    act: ({ chat, token }) => send(api(chat, '/tasks/batch'), 'POST', { ...bearer(token), ...JSON_TYPE }, series),
  },
  'rare rules': {
    about: 'previews of 100 dates of rules with rare ones, each of another day',
    inFlight: 24,
    act: ({ chat, token }) =>
      send(api(chat, '/recurrence/preview'), 'POST', { ...bearer(token), ...JSON_TYPE }, JSON.stringify(rarely())),
  },
  'long bodies': {
    about: 'bodies of 1 MiB of somebody who is logged in',
    inFlight: 8,
    act: ({ chat, token }) => send(api(chat, '/tasks'), 'POST', { ...bearer(token), ...JSON_TYPE }, longText),
  },
  streams: {
    about: 'streams opened and closed',
    inFlight: 32,
    async act({ notifications, token }) {
      const answer = await fetch(api(notifications, '/notifications/stream'), { headers: bearer(token) });
      await answer.body?.cancel();
      return answer.status;
    },
  },
};

const rarely = () => ({
  recurrence_pattern: 'rrule:FREQ=DAILY;BYMONTHDAY=13;BYDAY=FR;COUNT=1000',
  due_date: new Date(Date.UTC(2026, 0, 1 + Math.floor(Math.random() * 9000))).toISOString(),
  timezone: 'Europe/Berlin',
  limit: 100,
});
const pick = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** Runs a case until standard input ends. @returns how many ended how */
async function attack({ inFlight, act }: Case, target: Target): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let isOver = false;
  async function loop(): Promise<void> {
    while (!isOver) {
      const answer = await act(target).catch((error: unknown) => (error as { code?: string }).code ?? String(error));
      counts[answer] = (counts[answer] ?? 0) + 1;
      if (answer === 429 || answer === 'not connected') await sleep(20); // as fast as is useful to him
    }
  }
  for (let i = 0; i < inFlight; i++) void loop();
  console.log('begun');
  await new Response(Bun.stdin.stream()).text();
  isOver = true;
  return counts;
}

if (import.meta.main) {
  const [name = '', target = '{}'] = process.argv.slice(2);
  const chosen = cases[name];
  if (!chosen) throw new Error(`there is no case ${name}`);
  console.log(JSON.stringify(await attack(chosen, JSON.parse(target) as Target)));
  process.exit(0);
}
