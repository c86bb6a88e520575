import { afterEach, expect, test } from 'bun:test';
import { createTask, me } from './api.ts';

const { fetch: realFetch } = globalThis;
afterEach(() => void (globalThis.fetch = realFetch));

test('requests that meet an old token at once share one refresh; a later one has its own', async () => {
  const asked: string[] = [];
  let isFresh = false;
  const stand = async (url: string) => {
    asked.push(url);
    if (url.endsWith('/refresh')) isFresh = true;
    return isFresh ? Response.json({ id: '7' }) : Response.json({ code: 'TOKEN' }, { status: 401 });
  };
  globalThis.fetch = stand as unknown as typeof fetch;
  expect(await Promise.all([me(), me(), me()])).toMatchObject([{ id: '7' }, { id: '7' }, { id: '7' }]);
  isFresh = false;
  await me();
  expect(asked.filter((url) => url.endsWith('/refresh'))).toHaveLength(2);
});

test('changes outlive the page, as far as browsers take them so at once; what is only read does not', async () => {
  const kept: boolean[] = [];
  const answers: (() => void)[] = [];
  const stand = async (_url: string, { keepalive = false }: RequestInit) => {
    kept.push(keepalive);
    await new Promise<void>((resolve) => answers.push(resolve));
    return Response.json({ id: '7' });
  };
  globalThis.fetch = stand as unknown as typeof fetch;
  const create = (description: string) => createTask({ title: 'Tea', description }, 'a');
  const all = [me(), create('short'), create('x'.repeat(10_000)), create('x'.repeat(10_000)), create('short')];
  expect(kept).toEqual([false, true, true, false, true]);
  for (const answer of answers) answer();
  await Promise.all(all);
  const last = create('x'.repeat(10_000));
  expect(kept.at(-1)).toBe(true);
  answers.at(-1)?.();
  await last;
});
