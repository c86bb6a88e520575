import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyFolder, holdFolder, requireOurs } from './folder.ts';
import { readOrMakeSecrets } from './secrets.ts';

let outer: string;
let folder: string;
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'taskflow-folder-'));
  folder = join(outer, 'state');
});
afterEach(() => rmSync(outer, { recursive: true, force: true }));

const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);
const make = (...names: string[]) => {
  mkdirSync(folder, { recursive: true });
  for (const name of names) writeFileSync(join(folder, name), '');
};
/** Of all below `outer`: name, kind and mode. */
const picture = () =>
  readdirSync(outer, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${lstatSync(join(outer, name)).mode.toString(8)}`)
    .toSorted();

/** As an ordinary user, since root may do everything. */
function asOrdinary<T>(work: () => T): T {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('a folder', () => {
  test.each<[string, () => void]>([
    ['that is not there', () => {}],
    ['that is empty', () => make()],
    ['that holds what a file system has of itself', () => make('lost+found')],
    ['whose first start was cut short', () => make('.taskflow-state', 'up.lock')],
    ['of ours, with something else in it', () => make('.taskflow-state', 'mine.txt')],
    [
      'that a version without a marker made',
      () => {
        make('up.pid');
        readOrMakeSecrets(folder, { hasData: false });
      },
    ],
  ])('%s is taken, and marked as ours', (_which, prepare) => {
    prepare();
    holdFolder(folder)?.release();
    expect(readdirSync(folder)).toContain('.taskflow-state');
    make('more.txt');
    expect(() => requireOurs(folder)).not.toThrow();
  });

  test('made here is closed to others, and one that was there keeps its mode', () => {
    holdFolder(folder)?.release();
    expect(mode(folder)).toBe('700');
    const given = join(outer, 'given');
    mkdirSync(given);
    chmodSync(given, 0o1777);
    holdFolder(given)?.release();
    expect(mode(given)).toBe('1777');
    expect(readdirSync(given).map((name) => mode(join(given, name)))).toEqual(['600', '600']);
  });

  test.each<[string, () => void]>([
    ['with files of somebody else', () => make('passwd')],
    ['whose logs are somebody else’s', () => mkdirSync(join(folder, 'logs'), { recursive: true })],
    ['with other secrets', () => make('secrets.json')],
    ['with nothing but a hidden file', () => make('.profile')],
    [
      'behind a link',
      () => {
        mkdirSync(join(outer, 'theirs'));
        writeFileSync(join(outer, 'theirs', 'file'), '');
        symlinkSync(join(outer, 'theirs'), folder);
      },
    ],
  ])('%s is refused, and nothing in it changes', (_which, prepare) => {
    prepare();
    const before = picture();
    expect(() => holdFolder(folder)).toThrow(
      `The folder ${folder} holds files that are not TaskFlow's: name an empty one, or one that is not there yet, in TASKFLOW_STATE.`,
    );
    expect(picture()).toEqual(before);
  });

  test('behind a link is used there', () => {
    mkdirSync(join(outer, 'disk'));
    symlinkSync(join(outer, 'disk'), folder);
    holdFolder(folder)?.release();
    expect(readdirSync(join(outer, 'disk'))).toContain('.taskflow-state');
  });

  test.each<[string, () => string, string]>([
    ['is a file', () => folder, 'ENOTDIR: not a directory'],
    ['lies below a file', () => join(folder, 'below'), 'ENOTDIR: not a directory'],
    ['is a link to nowhere', () => join(outer, 'link'), 'EEXIST: file already exists'],
    ['has a name that is too long', () => join(outer, 'x'.repeat(300)), 'ENAMETOOLONG: name too long'],
    ['may not be read', () => join(outer, 'closed'), 'EACCES: permission denied'],
    ['may not be made', () => join(outer, 'new'), 'EACCES: permission denied'],
    ['may not be written to', () => join(outer, 'open'), 'EACCES: permission denied'],
  ])('that %s is refused in one sentence', (_which, path, why) => {
    writeFileSync(folder, 'a file');
    symlinkSync(join(outer, 'nowhere'), join(outer, 'link'));
    mkdirSync(join(outer, 'closed'));
    mkdirSync(join(outer, 'open'));
    chmodSync(join(outer, 'closed'), 0);
    chmodSync(join(outer, 'open'), 0o555);
    chmodSync(outer, 0o555);
    try {
      const hold = () => asOrdinary(() => holdFolder(path()));
      expect(hold).toThrow(`The folder ${path()} cannot be used (${why}): name another one in TASKFLOW_STATE.`);
    } finally {
      chmodSync(outer, 0o755);
      chmodSync(join(outer, 'closed'), 0o755);
    }
  });
});

describe('emptyFolder', () => {
  test('removes what up keeps and nothing else', async () => {
    const hold = holdFolder(folder);
    readOrMakeSecrets(folder, { hasData: false });
    for (const name of ['logs', 'postgres-18', 'kafka', 'dapr', 'sentry'])
      mkdirSync(join(folder, name, 'deeper'), { recursive: true });
    make('postgres.log', 'running.json', 'running.json.new', 'secrets.json.new', 'up.pid', 'mine.txt');
    await emptyFolder(folder);
    expect(readdirSync(folder).toSorted()).toEqual(['.taskflow-state', 'mine.txt', 'up.lock']);
    hold?.release();
  });

  test('removes a link and leaves what it leads to', async () => {
    holdFolder(folder)?.release();
    mkdirSync(join(outer, 'theirs', 'data'), { recursive: true });
    for (const name of ['logs', 'postgres-18', 'dapr']) symlinkSync(join(outer, 'theirs'), join(folder, name));
    const before = mode(join(outer, 'theirs'));
    await emptyFolder(folder);
    expect(readdirSync(folder).toSorted()).toEqual(['.taskflow-state', 'up.lock']);
    expect(existsSync(join(outer, 'theirs', 'data'))).toBe(true);
    expect(mode(join(outer, 'theirs'))).toBe(before);
  });
});
