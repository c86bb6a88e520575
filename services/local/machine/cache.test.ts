import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, sweepAbandoned } from './cache.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskflow-cache-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An empty cache and one source file. */
async function setUp() {
  const own = await mkdtemp(join(folder, 'test-'));
  const [cache, source] = [join(own, 'cache'), join(own, 'source')];
  await Bun.write(source, 'one');
  const writePart = (content: string) => async (at: string) => void (await Bun.write(join(at, 'part'), content));
  const contentOf = (at: string) => Bun.file(join(at, 'part')).text();
  return { cache, source, writePart, contentOf };
}

describe('a cached part', () => {
  test('is made once, and anew when a source of it changes, or what is also of influence', async () => {
    const { cache, source, writePart, contentOf } = await setUp();
    const first = await cached(cache, 'part', { sources: [source] }, writePart('made'));
    const second = await cached(cache, 'part', { sources: [source] }, writePart('made again'));
    expect([second, await contentOf(second)]).toEqual([first, 'made']);
    await Bun.write(source, 'two');
    const third = await cached(cache, 'part', { sources: [source] }, writePart('made of two'));
    expect(await contentOf(third)).toBe('made of two');
    expect(third).not.toBe(first);
    const fourth = await cached(cache, 'part', { sources: [source], also: 'Java 25' }, writePart('made with 25'));
    expect(await contentOf(fourth)).toBe('made with 25');
  });

  test('is absent when making it failed, and nothing is left behind', async () => {
    const { cache, source, writePart, contentOf } = await setUp();
    const failing = cached(cache, 'part', { sources: [source] }, async (at) => {
      await writePart('half')(at);
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    expect(await readdir(cache)).toEqual([]);
    expect(await contentOf(await cached(cache, 'part', { sources: [source] }, writePart('whole')))).toBe('whole');
  });

  test('that two make at once is the one that was ready first', async () => {
    const { cache, source, writePart, contentOf } = await setUp();
    const { promise: isFirstReady, resolve } = Promise.withResolvers<void>();
    const slow = cached(cache, 'part', { sources: [source] }, async (at) => {
      await writePart('slow')(at);
      await isFirstReady;
    });
    const quick = await cached(cache, 'part', { sources: [source] }, writePart('quick'));
    resolve();
    expect([await slow, await contentOf(quick)]).toEqual([quick, 'quick']);
    expect(await readdir(cache)).toHaveLength(1);
  });
});

test('what a killed build left goes after a day; a younger one may be at work', async () => {
  const { cache } = await setUp();
  await sweepAbandoned(cache, Date.now()); // there is no cache yet
  const names = ['dapr-1.building-old', 'dapr-1.building-young', 'kafka-1'];
  for (const name of names) await mkdir(join(cache, name), { recursive: true });
  const now = Date.parse('2026-11-25T12:00:00Z');
  const set = (name: string, time: string) => utimes(join(cache, name), new Date(time), new Date(time));
  await set('dapr-1.building-old', '2026-11-24T11:59:00Z');
  await set('dapr-1.building-young', '2026-11-24T12:01:00Z');
  await set('kafka-1', '2026-01-01T00:00:00Z');
  await sweepAbandoned(cache, now);
  expect((await readdir(cache)).toSorted()).toEqual(['dapr-1.building-young', 'kafka-1']);
});
