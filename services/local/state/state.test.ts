import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/wait.ts';
import { perApp } from '../machine/apps.ts';
import { commandOf } from '../machine/processes.ts';
import { Refusal } from '../machine/refusal.ts';
import { openState, readRunning, stateFolder } from './state.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'taskflow-state-')), 'state');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const inFolder = (name: string) => join(folder, name);

/** What a command tells the person who mends it. */
async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error('was not refused');
}

describe('openState', () => {
  test('keeps the secrets of the first time', async () => {
    const first = await openState(folder);
    first.release();
    const second = await openState(folder);
    expect(second.secrets).toEqual(first.secrets);
    second.release();
  });

  test('closes what it makes to others, in a folder of somebody else too', async () => {
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const state = await openState(folder);
    state.saveRunning(runningAs(process.pid));
    const modes = ['secrets.json', 'running.json', 'logs'].map((name) => mode(inFolder(name)));
    expect(modes).toEqual(['600', '600', '700']);
    state.release();
  });

  test('writes to no link that waits for its draft', async () => {
    const theirs = join(folder, '..', 'theirs');
    writeFileSync(theirs, 'theirs');
    const state = await openState(folder);
    symlinkSync(theirs, inFolder('running.json.new'));
    state.saveRunning(runningAs(process.pid));
    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
    state.release();
  });

  test('makes secrets that the services accept, each its own', async () => {
    const state = await openState(folder);
    const { databasePasswords, demo, ...keys } = state.secrets;
    const all = [...Object.values(keys), ...Object.values(databasePasswords)];
    expect(new Set(all).size).toBe(10);
    for (const secret of all) expect(secret.length).toBeGreaterThanOrEqual(32);
    expect(demo.password).toMatch(/^(?=.*[A-Z])(?=.*\d).{8,72}$/);
    state.release();
  });

  test('begins anew without what earlier ones left', async () => {
    const first = await openState(folder);
    first.release();
    writeFileSync(inFolder('secrets.json'), '{"cut o');
    const second = await openState(folder, { fresh: true });
    expect(second.secrets.JWT_SECRET).not.toBe(first.secrets.JWT_SECRET);
    second.release();
  });

  test('takes the place of an up that was killed', async () => {
    await using other = await otherUp();
    expect(other.says).toBe('holds it');
    other.kill('SIGKILL');
    await other.exited;
    (await openState(folder)).release();
  });

  test('lets one of several that start at once have it', async () => {
    const several = await Promise.all(Array.from({ length: 4 }, otherUp));
    const says = several.map((other) => other.says).toSorted();
    expect(says.filter((each) => each.includes(`TaskFlow already runs on ${folder}: stop that one`))).toHaveLength(3);
    expect(says).toContain('holds it');
    for (const other of several) await other[Symbol.asyncDispose]();
  }, 30_000);

  test('says in one sentence which process uses it', async () => {
    await using other = await sleepingUp();
    const state = await openState(folder);
    state.saveRunning(runningAs(other.pid));
    const message = `TaskFlow already runs on ${folder} (process ${other.pid}): stop that one`;
    expect(await refusalOf(() => openState(folder))).toStartWith(message);
    expect(await refusalOf(() => openState(folder, { fresh: true }))).toStartWith(message);
    expect(readRunning(folder).pid).toBe(other.pid);
    state.release();
  });
});

describe('damaged secrets', () => {
  const mend = 'put a copy of it back, or begin anew with';

  test.each<[string, (text: string) => string, string]>([
    ['cut off', (text) => text.slice(0, 100), 'is damaged (no whole JSON)'],
    ['empty', () => '', 'is damaged (no whole JSON)'],
    ['of another form', () => '[]', 'is damaged (Expected object)'],
    ['with a key missing', (text) => text.replace('AUDIT_SEAL_KEY', 'OTHER'), 'is damaged (AUDIT_SEAL_KEY: Expected'],
    [
      'with a password missing',
      (text) => text.replace('"chat-api"', '"chat"'),
      '(databasePasswords.chat-api: Expected',
    ],
    [
      'with a short key',
      (text) => text.replace(/("JWT_SECRET": ")[^"]*/, '$1short'),
      'is damaged (JWT_SECRET: Expected',
    ],
  ])('%s are refused in one sentence and left as they are', async (_how, damage, why) => {
    (await openState(folder)).release();
    const damaged = damage(readFileSync(inFolder('secrets.json'), 'utf8'));
    writeFileSync(inFolder('secrets.json'), damaged);
    const message = await refusalOf(() => openState(folder));
    expect(message).toStartWith(`${inFolder('secrets.json')} is damaged`);
    expect(message).toContain(why);
    expect(message).toContain(mend);
    expect(message).not.toContain('short');
    expect(message.split('\n')).toHaveLength(1);
    expect(readFileSync(inFolder('secrets.json'), 'utf8')).toBe(damaged);
  });

  test('that are gone while their data is there are refused, and not made anew', async () => {
    (await openState(folder)).release();
    rmSync(inFolder('secrets.json'));
    mkdirSync(inFolder('postgres-18'));
    expect(await refusalOf(() => openState(folder))).toStartWith(`${inFolder('secrets.json')} is gone, and the data`);
    expect(existsSync(inFolder('secrets.json'))).toBe(false);
  });

  test('that cannot be read are refused in one sentence', async () => {
    (await openState(folder)).release();
    rmSync(inFolder('secrets.json'));
    mkdirSync(inFolder('secrets.json'));
    expect(await refusalOf(() => openState(folder))).toBe(
      `${inFolder('secrets.json')} cannot be read (EISDIR): do this as the user it belongs to, or name another folder in TASKFLOW_STATE.`,
    );
  });
});

describe('readRunning', () => {
  test('refuses when nothing runs', async () => {
    expect(() => readRunning(folder)).toThrow('Nothing is running here');
    const state = await openState(folder);
    expect(() => readRunning(folder)).toThrow('Nothing is running here');
    state.saveRunning(runningAs(999_999_999));
    expect(() => readRunning(folder)).toThrow('Nothing is running here');
    state.release();
    expect(() => readRunning(join(import.meta.path, 'below'))).toThrow('Nothing is running here');
  });

  test.each(['{"pid": 1, "ur', '', 'null', '{"pid": 1}'])('refuses the damaged %j in one sentence', async (text) => {
    const state = await openState(folder);
    writeFileSync(inFolder('running.json'), text);
    const message = await refusalOf(() => readRunning(folder));
    expect(message).toStartWith(`${inFolder('running.json')} is damaged`);
    expect(message).toEndWith('stop `up`, if it runs, and start it again.');
    state.release();
    (await openState(folder)).release();
  });
});

test('stateFolder is TASKFLOW_STATE, or .taskflow in the project', () => {
  expect(stateFolder({ TASKFLOW_STATE: '/x/y' })).toBe('/x/y');
  expect(stateFolder({})).toEndWith('/.taskflow');
});

const runningAs = (pid: number) => ({ pid, url: 'http://localhost', settings: perApp(() => ({})), processes: [] });

/** Another process that opens the folder; what it has to say of that. Ends when it is disposed of. */
async function otherUp() {
  const program = `
    import { openState } from '${import.meta.dir}/state.ts';
    await openState(process.argv[1]).then(() => console.log('holds it'), (error) => console.log(error.message));
    await Bun.stdin.text();`;
  const child = Bun.spawn([process.execPath, '-e', program, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { value = '' } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  return Object.assign(child, { says: value.trim() });
}

/** A process whose command line is that of `up`. */
async function sleepingUp() {
  const child = Bun.spawn([process.execPath, '-e', 'setInterval(() => {}, 60_000)', 'services/local/up.ts']);
  await eventually(() => commandOf(child.pid).includes('up.ts')); // Linux shows it a moment after the process has begun
  return child;
}
