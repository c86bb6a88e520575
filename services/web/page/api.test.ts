import { afterEach, describe, expect, test } from 'bun:test';
import { createTask, history, me, notices } from './api.ts';

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

describe('a list that was cut', () => {
  /** Three pages of two rows, of which every third is a notice. */
  function pages(): string[] {
    const asked: string[] = [];
    const stand = async (url: string) => {
      asked.push(url.replace('/api/v1', ''));
      const page = Number(/cursor=(\d)/.exec(url)?.[1] ?? 0);
      const rows = [1, 2].map((i) => ({ id: page * 2 + i, event_id: page * 2 + i, notify: (page * 2 + i) % 3 === 0 }));
      const link = { link: `<${url.split('?')[0]}?cursor=${page + 1}>; rel="next"` };
      return Response.json(rows, page < 2 ? { headers: link } : {});
    };
    globalThis.fetch = stand as unknown as typeof fetch;
    return asked;
  }

  test('is read on to its end: what happened to a task', async () => {
    pages();
    expect((await history('7')).map(({ event_id: id }) => Number(id))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each([
    [1, [3], 2],
    [2, [3, 6], 3],
    [9, [3, 6], 3],
  ])('is read on until %d notices are found, or to its end', async (wanted, found, requests) => {
    const asked = pages();
    expect((await notices('', wanted)).map(({ id }) => id)).toEqual(found);
    expect(asked).toHaveLength(requests);
  });
});
