import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { $, Glob } from 'bun';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDatabase } from '../test/support/database.ts';
import { eventually } from '../test/support/wait.ts';
import { freePort } from './local/machine/port.ts';
import { apps } from './local/machine/apps.ts';
import { bundle } from './bundle.ts';
import { settings, writeImage } from './image.ts';

const root = join(import.meta.dir, '..');
/** Bundles are built here, beside all other tests. */
const LIMIT_MS = 60_000;
let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'taskflow-image-test-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** What is in `/app` of an image. */
async function appOf(appId: string): Promise<string> {
  const folder = join(work, appId);
  await bundle(appId, folder);
  return folder;
}

/** Each file and what it holds, without the comments in which Bun names where a part of a bundle came from. */
const filesOf = async (folder: string) =>
  Object.fromEntries(
    await Promise.all(
      [...new Glob('**').scanSync(folder)].toSorted().map(async (file) => {
        const text = await Bun.file(join(folder, file)).text();
        return [file, Bun.hash(text.replaceAll(/^\/\/ .*$/gm, ''))] as const;
      }),
    ),
  );

describe('services/Dockerfile', async () => {
  const text = await Bun.file(join(import.meta.dir, 'Dockerfile')).text();
  const steps = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const stages = steps
    .join('\n')
    .split(/^FROM /m)
    .slice(1);
  const last = (stages.at(-1) ?? '').split('\n').slice(1);
  const given = (instruction: string) =>
    last.find((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1);

  test('begins with the Bun that everything else is run by, and ends without a shell', async () => {
    const [, version] = /bun@(\d+\.\d+\.\d+)/.exec(await Bun.file(join(root, '.ci/run')).text()) ?? [];
    expect(stages.map((stage) => stage.split('\n')[0])).toEqual([
      // What it makes is the same for every machine, so it runs on that of whoever builds.
      `--platform=$BUILDPLATFORM oven/bun:${version} AS build`,
      `oven/bun:${version}-distroless`,
    ]);
  });

  test('starts what image.ts starts, as the same user', () => {
    const { Entrypoint, Cmd, User, WorkingDir, Env } = settings('${COMMIT}');
    expect({
      Entrypoint: JSON.parse(given('ENTRYPOINT') ?? ''),
      Cmd: JSON.parse(given('CMD') ?? ''),
      User: given('USER'),
      WorkingDir: given('WORKDIR'),
      Env: given('ENV'),
    }).toEqual({ Entrypoint, Cmd, User, WorkingDir, Env: Env[0] ?? '' });
  });

  test('has nothing else above its base', () => {
    expect(last.filter((line) => /^(COPY|ADD|RUN) /.test(line))).toEqual(['COPY --from=build /app /app']);
  });

  test(
    'makes of the files that it copies, and of no others, what image.ts makes',
    async () => {
      const context = join(work, 'context');
      const ignore = (await Bun.file(join(import.meta.dir, 'Dockerfile.dockerignore')).text()).split('\n');
      const left = ignore.filter((line) => /^[^#!*]|^\*\*/.test(line)).map((line) => new Glob(`${line}{,/**}`));
      const copied = steps
        .filter((line) => /^COPY (?!--from)/.test(line))
        .flatMap((line) => line.split(' ').slice(1, -1));
      const wanted = copied.map((path) => new Glob(`${path}{,/**}`));
      const tracked = (await $`git ls-files -co --exclude-standard`.cwd(root).text()).split('\n').filter(Boolean);
      const files = tracked.filter(
        (file) => wanted.some((glob) => glob.match(file)) && !left.some((glob) => glob.match(file)),
      );
      for (const file of files) {
        await mkdir(dirname(join(context, file)), { recursive: true });
        await cp(join(root, file), join(context, file));
      }
      await symlink(join(root, 'node_modules'), join(context, 'node_modules')); // as `bun install` makes them
      const command = steps.find((line) => line.startsWith('RUN bun services/'))?.slice('RUN bun '.length) ?? '';
      const [program = '', ...rest] = command
        .replace('${SERVICE}', 'chat-api')
        .replace('/app', join(work, 'built'))
        .split(' ');
      await $`${process.execPath} ${program} ${rest}`.cwd(context).quiet();
      expect(files.filter((file) => /local|\.test\.ts$/.test(file))).toEqual([]);
      expect(await filesOf(join(work, 'built'))).toEqual(await filesOf(await appOf('chat-api')));
    },
    LIMIT_MS,
  );
});

test(
  'the image of the page holds it built',
  async () => {
    const names = Object.keys(await filesOf(await appOf('web')));
    expect(names.filter((name) => !name.startsWith('site/assets/'))).toEqual([
      'main.js',
      'site/app.webmanifest',
      'site/docs.html',
      'site/icon.svg',
      'site/index.html',
      'site/sw.js',
    ]);
    expect(names.some((name) => /^site\/assets\/main-\w+\.js$/.test(name))).toBe(true);
    expect(names.some((name) => /^site\/assets\/swagger-ui-[\d.]+\/swagger-ui-bundle\.js$/.test(name))).toBe(true);
  },
  LIMIT_MS,
);

test(
  'an image holds one service, and its commands where it has any',
  async () => {
    const others = apps.filter(({ appId }) => appId !== 'chat-api');
    const names = await Promise.all(
      others.map(async ({ appId }) => [appId, Object.keys(await filesOf(await appOf(appId)))]),
    );
    expect(Object.fromEntries(names)).toEqual({
      'notification-service': ['main.js', 'ops.js'],
      'reminder-service': ['main.js', 'ops.js'],
      'audit-logger': ['main.js', 'ops.js'],
      'recurring-task-processor': ['main.js'],
    });
  },
  LIMIT_MS,
);

test(
  'what is in it runs: the migration, the service until SIGTERM, the commands',
  async () => {
    const archive = join(work, 'chat-api.tar');
    const { appLayer } = await writeImage('chat-api', archive, { commit: 'abc' });
    await $`tar -xOf ${archive} ${appLayer} | tar -xC ${work}`.quiet();
    const app = join(work, 'app');
    const database = await createDatabase({ phase: 0 });
    const urls = join(work, 'urls');
    for (const { appId } of apps) await Bun.write(join(urls, appId), database.url(appId));
    const env = { DATABASE_URL: database.url(), DATABASE_URLS: urls };
    const run = (name: string, environment: Record<string, string>, ...words: string[]) =>
      Bun.spawn([process.execPath, join(app, name), ...words], {
        env: environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const migration = run('migrate.js', env);
    expect(JSON.parse(await migration.stdout.text())).toMatchObject({ message: 'migrated' });

    const port = String(freePort());
    const service = run('main.js', {
      DATABASE_URL: database.url('chat-api'),
      JWT_SECRET: 's'.repeat(32),
      HOST: '127.0.0.1',
      PORT: port,
      DELIVERY_DRAIN_MS: '0',
      VERSION_COMMIT: 'abc',
    });
    const health = await eventually(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
      return response.status === 200 && response.json();
    }, 20_000);
    expect(health).toMatchObject({ service: 'chat-api', commit: 'abc' });
    const signup = await fetch(`http://127.0.0.1:${port}/api/v1/auth/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.com', password: 'Sunny-Day-42' }),
    });
    expect(signup.status).toBe(201); // the thread that hashes its password is there
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(await run('ops.js', {}, '--help').stdout.text()).toContain('users');
    await database.drop();
  },
  LIMIT_MS,
);
