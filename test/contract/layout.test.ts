import { describe, expect, test } from 'bun:test';
import { $ } from 'bun';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { consumers } from '#shared/events';
import { settingsPage } from '../../services/settings.ts';

const root = join(import.meta.dir, '../..');
const services = [...Object.keys(consumers), 'recurring-task-processor', 'web'];
const sources = (await $`git ls-files -co --exclude-standard -- services shared db gitops test`.cwd(root).text())
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file));

/** What each source file imports: packages by name, our own files by path from the root. */
const imports = await Promise.all(
  sources.map(async (file) => {
    const text = await Bun.file(join(root, file)).text();
    const names = [
      ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g),
    ].map((match) => match[1] ?? match[2] ?? '');
    return { file, names: names.map((name) => (name.startsWith('.') ? normalize(join(dirname(file), name)) : name)) };
  }),
);
const asFile = (name: string) => name.replace(/^#(shared\/.*)$/, '$1.ts');
const offenders = (isForbidden: (file: string, name: string) => boolean) =>
  imports.flatMap(({ file, names }) =>
    names.filter((name) => isForbidden(file, name)).map((name) => `${file} imports ${name}`),
  );

describe('who may import what', () => {
  test('no service imports another', () => {
    const own = (file: string) => services.find((service) => file.startsWith(`services/${service}/`));
    expect(
      offenders(
        (file, name) =>
          own(file) !== undefined &&
          /^(services|test)\//.test(name) &&
          !/\.test\.ts$|fixture/.test(file) &&
          !name.startsWith(`services/${own(file)}/`),
      ),
    ).toEqual([]);
  });

  test('shared/ and db/ import no service', () => {
    expect(offenders((file, name) => /^(shared|db)\//.test(file) && name.startsWith('services/'))).toEqual([]);
  });

  test('@dapr/dapr stands in shared/dapr.ts alone, and there is no Kafka client', () => {
    expect(offenders((file, name) => name.startsWith('@dapr/') && file !== 'shared/dapr.ts')).toEqual([]);
    // services/local/real and the drills start brokers and ask them how far the consumers are; nothing that is delivered does.
    const ours = /^(services\/local\/real|test\/(real|gitops))\//;
    expect(offenders((_file, name) => /kafka/i.test(name) && !ours.test(name))).toEqual([]);
    expect(
      offenders(
        (file, name) => /^(services\/(?!local)|shared|db)/.test(file) && name.startsWith('services/local/real/'),
      ),
    ).toEqual([]);
  });

  test('the page imports packages and its own files, and of shared/ only types', async () => {
    const isPage = (file: string) => /^services\/web\/(page|workers)\//.test(file) && !isTest(file);
    expect(
      offenders(
        (file, name) => isPage(file) && /^(test|services)\//.test(name) && !/^services\/web\/page\//.test(name),
      ),
    ).toEqual([]);
    const texts = await Promise.all(sources.filter(isPage).map((file) => Bun.file(join(root, file)).text()));
    expect(texts.flatMap((text) => text.match(/^import (?!type).*#shared.*$/gm) ?? [])).toEqual([]);
  });

  test('in chat-api a change knows no series, and a series knows no API', () => {
    const above = { changes: /\/(series|tasks)\//, series: /\/tasks\// };
    const room = (file: string) => /^services\/chat-api\/(changes|series)\//.exec(file)?.[1] as keyof typeof above;
    expect(offenders((file, name) => !/\.test\.ts$|fixture/.test(file) && above[room(file)]?.test(name))).toEqual([]);
  });

  const isTest = (file: string) => /\.test\.ts$|fixture/.test(file);

  test('in the notification service the inbox knows no channel, and what streams carry no stream', () => {
    const rooms = ['inbox', 'preferences', 'stream'];
    const floorOf = (path: string) => rooms.indexOf(/^services\/notification-service\/(\w+)\//.exec(path)?.[1] ?? '');
    expect([...new Set(sources.filter((file) => !isTest(file)).map(floorOf))].sort()).toEqual([-1, 0, 1, 2]);
    const isUp = (file: string, name: string) => floorOf(file) !== -1 && floorOf(name) > floorOf(file);
    expect(offenders((file, name) => !isTest(file) && isUp(file, name))).toEqual([]);
  });

  test('nothing under services imports test/, but for its tests and their fixtures', () => {
    expect(
      offenders((file, name) => file.startsWith('services/') && !isTest(file) && name.startsWith('test/')),
    ).toEqual([]);
  });

  test('a room of services/local imports only those below it, and never what starts them all', () => {
    const below = new Map([
      ['machine', []],
      ['postgres', ['machine']],
      ['state', ['machine', 'postgres']],
      ['gateway', ['machine']],
      ['sidecar', []], // stands in for what runs elsewhere
      ['real', ['machine']],
    ]);
    const roomOf = (path: string) => /^services\/local\/([^/]+)\//.exec(path)?.[1];
    const local = imports.map(({ file }) => roomOf(file)).filter((room) => room !== undefined);
    expect([...new Set(local)].sort()).toEqual([...below.keys()].sort());
    expect(
      offenders((file, name) => {
        const room = roomOf(file);
        if (room === undefined || isTest(file) || !name.startsWith('services/')) return false;
        if (room === 'gateway' && name.startsWith('services/web/')) return false; // what it serves
        return ![room, ...(below.get(room) ?? [])].includes(roomOf(name) ?? 'services/local');
      }),
    ).toEqual([]);
  });

  test('what only tests import is called fixture', () => {
    const users = Map.groupBy(
      imports.flatMap(({ file, names }) => names.map((name) => ({ file, name }))),
      ({ name }) => asFile(name),
    );
    const isScaffolding = (file: string) =>
      /^(services|shared|db)\//.test(file) &&
      !isTest(file) &&
      users.get(file)?.every((user) => isTest(user.file) || user.file.startsWith('test/'));
    const programs = ['db/job.ts', 'services/image.ts', 'services/settings.ts'];
    expect(sources.filter((file) => !programs.includes(file) && isScaffolding(file))).toEqual([]);
  });

  test('no file outside test/ needs itself by way of others, not even for a type', () => {
    const delivered = imports.filter(({ file }) => !file.startsWith('test/'));
    const left = new Map(delivered.map(({ file, names }) => [file, names.map(asFile)]));
    // Files at the bottom and at the top of what is left fall away, until only circles are, and what lies between them.
    for (let size = 0; size !== left.size;) {
      size = left.size;
      for (const [file, names] of left) if (!names.some((name) => left.has(name))) left.delete(file);
      const used = new Set([...left.values()].flat());
      for (const file of left.keys()) if (!used.has(file)) left.delete(file);
    }
    expect([...left.keys()].sort()).toEqual([]);
  });

  test('nothing imports a main.ts', () => {
    expect(offenders((_file, name) => name.endsWith('/main.ts'))).toEqual([]);
  });
});

describe('the repository', () => {
  test('bun.lock holds no address', async () => {
    expect(await Bun.file(join(root, 'bun.lock')).text()).not.toMatch(/https?:\/\//);
  });

  test('every dependency is exact', async () => {
    const { dependencies, devDependencies, optionalDependencies } = await Bun.file(join(root, 'package.json')).json();
    const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))).toEqual([]);
  });

  test('what goes before a command of package.json is one of two programs', async () => {
    const { scripts } = await Bun.file(join(root, 'package.json')).json();
    const before = Object.values<string>(scripts).flatMap((script) => script.split(' && ').slice(0, -1));
    expect([...new Set(before)]).toEqual(['bun services/local/prepare.ts', 'bun services/local/require-packages.ts']);
  });

  test('has nothing else at its top', async () => {
    const entries = (await $`git ls-files -co --exclude-standard`.cwd(root).text()).split('\n').filter(Boolean);
    const top = new Set(entries.map((entry) => entry.split('/')[0]));
    const allowed = [
      'package.json',
      'bunfig.toml',
      'services',
      'shared',
      'gitops',
      'db',
      'k6',
      'test',
      'README.md',
      'bun.lock',
      'tsconfig.json',
      '.npmrc',
      '.gitignore',
      '.editorconfig',
      'CHANGELOG.md',
      '.ci',
      '.github',
    ];
    expect([...top].filter((entry) => entry !== undefined && !allowed.includes(entry))).toEqual([]);
  });

  test('test/README.md has a line and a command for each folder', async () => {
    const lines = (await Bun.file(join(root, 'test/README.md')).text()).matchAll(
      /^\| `(\w+)\/` .*\| `bun run \S.*` +\|$/gm,
    );
    const folders = (await $`git ls-files -co --exclude-standard -- test`.cwd(root).text())
      .split('\n')
      .flatMap((file) => /^test\/(\w+)\//.exec(file)?.[1] ?? []);
    expect([...lines].map(([, folder]) => folder).sort()).toEqual([...new Set(folders)].sort());
  });

  test('SETTINGS.md is what the schemas of the services say', async () => {
    expect(await Bun.file(join(root, 'services/SETTINGS.md')).text()).toBe(settingsPage());
  });

  test.each(['README.md', '.github/CONTRIBUTING.md', '.github/SECURITY.md'])(
    'every page, folder and file that %s names is there',
    async (page) => {
      const text = await Bun.file(join(root, page)).text();
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, to = '']) => join(dirname(page), to));
      const paths = [...text.matchAll(/`((?:services|shared|db|gitops|test)\/[\w./-]*)`/g)].map(
        ([, path = '']) => path,
      );
      expect(links.length).toBeGreaterThan(1);
      expect([...links, ...paths].filter((path) => !existsSync(join(root, path)))).toEqual([]);
    },
  );

  test('what to read first takes twelve files at most, and never comes back to a room', async () => {
    const text = await Bun.file(join(root, '.github/CONTRIBUTING.md')).text();
    const [, section = ''] = /^## What to read first\n([\s\S]*?)^## /m.exec(text) ?? [];
    const lists = section
      .split('\n\n')
      .map((part) => [...part.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = '']) => file))
      .filter((files) => files.length > 0);
    expect(lists.map((files) => files.length)).toEqual([12, 6, 7, 4]);
    for (const files of lists) {
      const rooms = files.map((file) => dirname(file));
      const entered = rooms.filter((room, i) => room !== rooms[i - 1]);
      expect(entered).toEqual([...new Set(rooms)]);
    }
    const readme = await Bun.file(join(root, 'README.md')).text();
    const [, sentence = ''] = /open these twelve files in turn([\s\S]*?)In each service/.exec(readme) ?? [];
    const named = [...sentence.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = '']) => file);
    expect(lists[0]?.map((file, i) => file.endsWith(`/${named[i]}`))).toEqual(named.map(() => true));
  });

  test('every section of the contract that is cited exists', async () => {
    const sections = [...(await Bun.file(join(root, 'services/CONTRACT.md')).text()).matchAll(/^## (\d+)\./gm)];
    const existing = new Set(sections.map(([, section]) => section));
    const cited = await Promise.all(
      sources.map(async (file) => {
        const text = await Bun.file(join(root, file)).text();
        return [...text.matchAll(/\b(?:CONTRACT|SPEC) (\d+)/g)].map(([words, section]) => ({ file, words, section }));
      }),
    );
    expect(existing.size).toBeGreaterThan(10);
    expect(cited.flat().filter(({ section, words }) => !existing.has(section) || words.startsWith('SPEC'))).toEqual([]);
  });

  test.each(['check', 'check:page', 'check:real', 'check:gitops', 'check:argocd', 'check:k6'])(
    'CI and README name the command %s as it is',
    async (script) => {
      const command = new RegExp(`npx -y bun@1\\.4\\.5 run ${script}(?![:\\w])`);
      expect(await Bun.file(join(root, '.ci/run')).text()).toMatch(command);
      expect(await Bun.file(join(root, 'README.md')).text()).toMatch(command);
    },
  );
});
