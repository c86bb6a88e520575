import { describe, expect, jest, test } from 'bun:test';
import { eventually } from '../test/support/wait.ts';
import { edge } from './edge.ts';
import { createLog } from './log.ts';
import { atEnd, createPlaces } from './places.ts';

describe('a place', () => {
  test('of a key is waited for in the order of coming, while other keys have theirs', async () => {
    const { take } = createPlaces({ perKey: 1 });
    const begun: string[] = [];
    const enter = (key: string, name: string) => Promise.resolve(take(key)).then((leave) => (begun.push(name), leave));
    const first = await enter('ada', 'a1');
    const [second, third] = [enter('ada', 'a2'), enter('ada', 'a3')];
    await enter('bob', 'b1');
    expect(begun).toEqual(['a1', 'b1']);
    first();
    (await second)();
    (await third)();
    expect(begun).toEqual(['a1', 'b1', 'a2', 'a3']);
    await enter('ada', 'a4');
  });

  test('is for nobody whose request was answered meanwhile, and nobody behind loses a turn by it', async () => {
    const { take, within } = createPlaces({ perKey: 1 });
    const [leave, isLate, begun] = [await take('ada'), new AbortController(), [] as string[]];
    const enter = (name: string, lateness?: AbortSignal) => within('ada', () => void begun.push(name), lateness);
    const [gone, next] = [enter('a2', isLate.signal).catch((error: unknown) => error), enter('a3')];
    isLate.abort();
    expect(await gone).toMatchObject({ status: 503, code: 'DATABASE_UNAVAILABLE' });
    leave();
    await next;
    expect(await enter('a4', isLate.signal).catch((error: unknown) => error)).toMatchObject({ status: 503 });
    expect(begun).toEqual(['a3']);
  });

  test('goes to the next of its key when the event loop has gone round', async () => {
    const { within } = createPlaces({ perKey: 1 });
    const begun: string[] = [];
    const works = ['a1', 'a2', 'a3'].map((name) => within('ada', () => void begun.push(name)));
    setImmediate(() => begun.push('somebody else'));
    await Promise.all(works);
    expect(begun).toEqual(['a1', 'somebody else', 'a2', 'a3']);
  });

  test('rests so many times as long as it was used, while other keys have theirs', async () => {
    let time = 0;
    const { within } = createPlaces({ perKey: 1, restFactor: 2, now: () => time });
    try {
      jest.useFakeTimers();
      const begun: string[] = [];
      await within('ada', () => void (time += 50));
      const next = within('ada', () => void begun.push('a2'));
      await within('bob', () => void begun.push('b1'));
      jest.advanceTimersByTime(99);
      await Promise.resolve();
      expect(begun).toEqual(['b1']);
      jest.advanceTimersByTime(1);
      await next;
      expect(begun).toEqual(['b1', 'a2']);
    } finally {
      jest.useRealTimers();
    }
  });

  test('rests a second at most, however long it was used', async () => {
    let time = 0;
    const { within } = createPlaces({ perKey: 1, restFactor: 16, now: () => time });
    try {
      jest.useFakeTimers();
      await within('ada', () => void (time += 8000));
      const next = within('ada', () => 'begun');
      jest.advanceTimersByTime(1000);
      expect(await next).toBe('begun');
    } finally {
      jest.useRealTimers();
    }
  });

  test('is given back when the work fails', async () => {
    const { within } = createPlaces({ perKey: 1 });
    const failure = within('ada', () => Promise.reject(new Error('no')));
    expect(await failure.catch(String)).toBe('Error: no');
    expect(await within('ada', async () => 'done')).toBe('done');
  });
});

describe('the end of a request', () => {
  test('is that of its work, also when it was answered late', async () => {
    const [gate, ended] = [Promise.withResolvers<void>(), { count: 0 }];
    const app = edge({ log: createLog('test', { write: () => {} }), answerMs: 20 }).get(
      '/slow',
      async ({ request }) => {
        atEnd(request, () => void (ended.count += 1));
        await gate.promise;
      },
    );
    expect((await app.handle(new Request('http://localhost/slow'))).status).toBe(503);
    expect(ended.count).toBe(0);
    gate.resolve();
    await eventually(() => ended.count === 1);
  });

  test('is at once where no app knows of it', () => {
    let isEnded = false;
    atEnd(new Request('http://localhost/'), () => void (isEnded = true));
    expect(isEnded).toBe(true);
  });

  test('is at once also after that end', async () => {
    const app = edge({ log: createLog('test', { write: () => {} }) }).get('/', () => 'done');
    const request = new Request('http://localhost/');
    await app.handle(request);
    let isEnded = false;
    atEnd(request, () => void (isEnded = true));
    expect(isEnded).toBe(true);
  });
});
