import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, cacheFolder } from '../../../services/local/machine/cache.ts';
import { requireOk, spawnCommand, untilReady } from '../../../services/local/machine/child.ts';
import { processEnvironment } from '../../../services/local/machine/environment.ts';
import { freePorts } from '../../../services/local/machine/port.ts';
import { runTool } from '../../../services/local/real/tools.ts';
import { type Listen, openStream } from '../watch.ts';

const PASSWORD = 'Sunny-Day-42';
const ROOT = 'root@example.com';
const READY_MS = 20_000;
const IMPERSONATED_S = 7200;
const sources = ['main.go', 'go.mod', 'go.sum'].map((name) => join(import.meta.dir, name));
const flags = ['-trimpath', '-ldflags', '-s -w'];

export type PocketBase = Awaited<ReturnType<typeof startPocketBase>>;

/** Its program, built by Go at the first call into the cache of the real parts; null without Go. */
export async function buildPocketBase(say: (line: string) => void): Promise<string | null> {
  if (!Bun.which('go')) return null;
  const folder = await cached(cacheFolder(), 'pocketbase', { sources, also: flags.join(' ') }, (into) =>
    runTool('PocketBase', ['go', 'build', '-v', ...flags, '-o', join(into, 'pocketbase'), '.'], {
      cwd: import.meta.dir,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' },
      say,
      unit: 'packages',
    }),
  );
  return join(folder, 'pocketbase');
}

/**
 * PocketBase on a new folder, with a collection of tasks that only their owner sees, as ours are, and so many people who are
 * signed in. Its rate limits are off, as it comes.
 */
export async function startPocketBase(program: string, people: number) {
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-pocketbase-'));
  const [port = 0] = freePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  const flagsOf = [`--dir=${folder}`];
  await runTool('PocketBase', [program, 'superuser', 'upsert', ROOT, PASSWORD, ...flagsOf], {
    say: () => {},
    unit: 'lines',
  });
  const child = spawnCommand([program, 'serve', `--http=127.0.0.1:${port}`, ...flagsOf], processEnvironment(), {
    onLine: () => {},
  });
  await untilReady(child, { name: 'PocketBase', ms: READY_MS, probe: () => requireOk(`${origin}/api/health`) });

  async function ask<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${origin}/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`PocketBase: POST ${path} answered ${response.status}: ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  const { token } = await ask<{ token: string }>('collections/_superusers/auth-with-password', {
    identity: ROOT,
    password: PASSWORD,
  });
  const root = { authorization: token };
  await ask('collections', tasks, root);
  const members: Member[] = [];
  while (members.length < people) members.push(await signIn(members.length));

  async function signIn(n: number): Promise<Member> {
    const given = { email: `person-${n}@example.com`, password: PASSWORD, passwordConfirm: PASSWORD };
    const { id } = await ask<{ id: string }>('collections/users/records', given, root);
    const asked = { duration: IMPERSONATED_S };
    const signedIn = await ask<{ token: string }>(`collections/users/impersonate/${id}`, asked, root);
    return { id, headers: { authorization: signedIn.token } };
  }

  return {
    port,
    members,
    createTask: async ({ id, headers }: Member, title: string): Promise<string> =>
      (await ask<{ id: string }>('collections/tasks/records', taskOf(id, title), headers)).id,
    /** Its realtime stream: an id first, to which the client then subscribes. */
    listenTo:
      ({ headers }: Member): Listen =>
      async (onTask) => {
        const { promise: connected, resolve } = Promise.withResolvers<string>();
        const close = await openStream(`${origin}/api/realtime`, headers, ({ event, data }) => {
          const told = JSON.parse(data) as { clientId?: string; record?: { id: string } };
          if (event === 'PB_CONNECT') resolve(told.clientId ?? '');
          else onTask(told.record?.id ?? '');
        });
        await ask('realtime', { clientId: await connected, subscriptions: ['tasks/*'] }, headers);
        return close;
      },
    async stop(): Promise<void> {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Member = { id: string; headers: Record<string, string> };

/** As long as what `rest` creates at TaskFlow. */
export const taskOf = (user: string, title: string) => ({ user, title, description: 'x'.repeat(100) });

const own = '@request.auth.id != "" && user = @request.auth.id';
const text = (name: string, max: number) => ({ name, type: 'text', max });
const tasks = {
  name: 'tasks',
  type: 'base',
  listRule: own,
  viewRule: own,
  createRule: own,
  fields: [
    text('user', 50),
    { ...text('title', 500), required: true },
    text('description', 10_000),
    { name: 'done', type: 'bool' },
    { name: 'due', type: 'date' },
    { name: 'created', type: 'autodate', onCreate: true },
    { name: 'updated', type: 'autodate', onCreate: true, onUpdate: true },
  ],
  indexes: ['create index idx_tasks_user on tasks (user)'],
};
