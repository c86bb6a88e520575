import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { $ } from 'bun';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { current, own, type Place, places } from '../../../gitops/own.ts';
import { withDigest } from '../../../gitops/promote.ts';
import { secretsOf } from '../../../gitops/secrets.ts';
import { apps } from '../../../services/local/machine/apps.ts';
import type { Manifest } from '../manifests.ts';
import { manifests } from '../manifests.ts';

const root = join(import.meta.dir, '../../..');
const tracked = (await $`git ls-files -co --exclude-standard`.cwd(root).text()).split('\n').filter(Boolean);
const texts = new Map(
  await Promise.all(tracked.map(async (file) => [file, await Bun.file(join(root, file)).text()] as const)),
);
const filesWith = (value: string | RegExp) =>
  [...texts]
    .filter(([, text]) => (typeof value === 'string' ? text.includes(value) : value.test(text)))
    .map(([file]) => file);

const wanted = {
  repo: 'https://git.elsewhere.test/team/tasks.git',
  images: 'registry.elsewhere.test:5000/team/tasks',
  host: 'tasks.elsewhere.test',
};

describe('gitops:own', () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'taskflow-own-'));
    await cp(join(root, 'gitops'), copy, { recursive: true });
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  test.each(Object.keys(places) as Place[])('knows every file in which the %s stands', async (place) => {
    const files = places[place].files.map((file) => `gitops/${file}`);
    expect(filesWith(await current(place)).toSorted()).toEqual(files.toSorted());
  });

  test.each(Object.keys(places) as Place[])('changes the %s in these, once, and nothing else', async (place) => {
    const before = await current(place, copy);
    expect((await own(place, wanted[place], copy)).toSorted()).toEqual(places[place].files.toSorted());
    expect(await current(place, copy)).toBe(wanted[place]);
    expect(await own(place, wanted[place], copy)).toEqual([]);
    for (const file of places[place].files) {
      const [was, is] = [texts.get(`gitops/${file}`) ?? '', await Bun.file(join(copy, file)).text()];
      expect(is).toBe(was.replaceAll(before, wanted[place]));
    }
  });

  test.each([
    ['repo', 'git.elsewhere.test/tasks'],
    ['repo', 'https://x/y.git\nkind: Secret'],
    ['images', 'https://registry.elsewhere.test/x'],
    ['images', 'registry.elsewhere.test/x:1.0'],
    ['images', 'registry'],
    ['host', 'https://tasks.elsewhere.test'],
    ['host', 'tasks'],
    ['host', 'tasks.elsewhere.test/app'],
  ] as const)('refuses a %s such as %p', async (place, value) => {
    expect(own(place, value, copy)).rejects.toThrow(`--${place} must be such as ${places[place].example}, got`);
  });
});

test('images and charts of others are named in these places alone', () => {
  const hosts =
    /\b(docker\.io|quay\.io|ghcr\.io|gcr\.io|registry\.k8s\.io|[\w-]+\.github\.io\/[\w-]*charts|charts\.[\w-]+\.\w+)\b/;
  const allowed =
    /^gitops\/(images|apps|bootstrap|platform)\/|^services\/Dockerfile$|^\.github\/workflows\/|^test\/contract\/gitops\//;
  expect(filesWith(hosts).filter((file) => !allowed.test(file))).toEqual([]);
});

describe('gitops:secrets', () => {
  test('makes what the secret store of a cloud holds, but for the owner’s URL, which an operator makes', () => {
    const made = secretsOf({ databaseHost: 'db' }) as Manifest[];
    const taken = manifests.filter(({ kind }) => kind === 'ExternalSecret').map(({ metadata }) => metadata?.name);
    expect([...made.map(({ metadata }) => metadata?.name), 'taskflow-postgres-app'].toSorted()).toEqual(
      taken.toSorted(),
    );
  });

  test('makes new ones each time, for each service one role', () => {
    const [one, other] = [secretsOf({ databaseHost: 'db' }), secretsOf({ databaseHost: 'db' })];
    expect(one).not.toEqual(other);
    const { stringData } = one[0] as { stringData: Record<string, string> };
    expect(Object.keys(stringData)).toEqual(apps.map(({ appId }) => appId));
    expect(URL.parse(stringData['audit-logger'] ?? '')).toMatchObject({
      username: 'taskflow_audit_logger',
      hostname: 'db',
    });
  });
});

describe('a release', () => {
  const images = texts.get('gitops/images/cloud/kustomization.yaml') ?? '';
  const digest = `sha256:${'ab'.repeat(32)}`;

  test.each(apps.map(({ appId }) => appId))('writes the digest of %s, in place of what it had', (appId) => {
    const once = withDigest(images, appId, digest);
    const { images: list } = Bun.YAML.parse(once) as { images: { name: string; digest?: string; newTag?: string }[] };
    expect(list.filter((image) => image.digest).map(({ name, newTag }) => [name, newTag])).toEqual([
      [`taskflow/${appId}`, undefined],
    ]);
    expect(withDigest(once, appId, digest)).toBe(once);
  });

  test('refuses what is no digest, and a service that there is not', () => {
    expect(() => withDigest(images, 'chat-api', 'latest')).toThrow('latest is no digest');
    expect(() => withDigest(images, 'chat', digest)).toThrow('there is no image of chat');
  });

  test('builds all services there are', () => {
    const [, list = ''] = /for app in ([\w -]+);/.exec(texts.get('.github/workflows/release.yml') ?? '') ?? [];
    expect(list.split(' ')).toEqual([...apps.map(({ appId }) => appId as string), 'web']);
  });
});
