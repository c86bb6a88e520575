import { afterEach, expect, test } from 'bun:test';
import { me } from './api.ts';

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
