import { afterEach, describe, expect, jest, setSystemTime, test } from 'bun:test';
import { asTask, type PageTask } from '../api.ts';
import { createChanges } from './changes.ts';
import { createStore } from './store.ts';

const { fetch: realFetch } = globalThis;
afterEach(() => {
  jest.useRealTimers();
  globalThis.fetch = realFetch;
});

type Answer = { status: number; body?: object };

/** A tab and a server at the edge of HTTP: each request waits until it is answered. */
function atWork() {
  const store = createStore({ later: (work) => work() });
  const asked: string[] = [];
  const waiting: ((answer: Answer) => void)[] = [];
  const stand = async (url: string, { method, body }: RequestInit) => {
    asked.push([method, url.replace('/api/v1', ''), body].filter(Boolean).join(' '));
    const { status, body: said } = await new Promise<Answer>((resolve) => waiting.push(resolve));
    return new Response(said ? JSON.stringify(said) : null, {
      status,
      headers: { 'content-type': 'application/json' },
    });
  };
  globalThis.fetch = stand as unknown as typeof fetch;
  const changes = createChanges(store, { announce: () => {}, untilSignedIn: async () => {} });
  return {
    store,
    changes,
    asked,
    /** Answers the oldest request, and lets what follows from it happen. */
    async answer(status: number, body?: object): Promise<void> {
      waiting.shift()?.({ status, ...(body && { body }) });
      await turns();
    },
    shown: () => [...store.tasks.value.values()].map(({ id, title, completed }) => ({ id, title, completed })),
    only: () => [...store.tasks.value.values()][0] as PageTask,
  };
}
/** All that can go on without another answer. */
const turns = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
  await new Promise(setImmediate);
};
const answerOf = (id: string, more: Partial<PageTask> = {}) => {
  const at = '2026-01-01T00:00:00Z';
  return asTask({ id, title: 'Tea', completed: false, created_at: at, updated_at: at, ...more });
};
const made = (completed: boolean) => [{ id: '7', title: 'Tea', completed }];
const refuse = () => false;

describe('a task that is not answered yet', () => {
  test('is changed once it is, and shows the change all the while', async () => {
    const { changes, asked, answer, shown, only } = atWork();
    changes.create({ title: 'Tea' }, refuse);
    const { id: name } = only();
    changes.complete(only());
    await turns();
    expect([asked, changes.idOf(name)]).toEqual([['POST /tasks {"title":"Tea"}'], name]);
    await answer(201, answerOf('7'));
    expect([shown(), changes.idOf(name)]).toEqual([made(true), '7']);
    // The row has its own id by now, and what is done to it waits for its turn as before.
    changes.change(only(), { title: 'Green tea' });
    await turns();
    expect(asked).toEqual(['POST /tasks {"title":"Tea"}', 'PATCH /tasks/7 {"completed":true}']);
    await answer(200, answerOf('7', { completed: true }));
    expect(asked[2]).toBe('PATCH /tasks/7 {"title":"Green tea"}');
    await answer(200, answerOf('7', { completed: true, title: 'Green tea' }));
    expect(shown()).toEqual([{ id: '7', title: 'Green tea', completed: true }]);
    expect(changes.notice.value).toBeNull();
  });

  test('is open again when its completion is taken back, before the answer or after', async () => {
    for (const isLate of [false, true]) {
      const { changes, asked, answer, shown, only } = atWork();
      changes.create({ title: 'Tea' }, refuse);
      changes.complete(only());
      if (!isLate) changes.takeBack();
      await turns();
      await answer(201, answerOf('7'));
      if (isLate) changes.takeBack();
      expect(shown()).toEqual(made(false));
      await answer(200, answerOf('7', { completed: true }));
      await answer(200, answerOf('7'));
      expect(asked.slice(1)).toEqual(['PATCH /tasks/7 {"completed":true}', 'PATCH /tasks/7 {"completed":false}']);
      expect(shown()).toEqual(made(false));
    }
  });

  test('is deleted once it is, and does not come back', async () => {
    const { changes, asked, answer, shown, only } = atWork();
    changes.create({ title: 'Tea' }, refuse);
    changes.remove([only()], 'Deleted: Tea');
    await turns();
    await answer(201, answerOf('7'));
    expect([shown(), changes.undo.value?.text]).toEqual([[], 'Deleted: Tea']);
    changes.flush();
    await turns();
    expect(asked[1]).toBe('DELETE /tasks/7');
    await answer(204);
    expect(shown()).toEqual([]);
  });

  test('stands there again when its deletion is taken back, before the answer or after', async () => {
    for (const isLate of [false, true]) {
      const { changes, asked, answer, shown, only } = atWork();
      changes.create({ title: 'Tea' }, refuse);
      changes.remove([only()], 'Deleted: Tea');
      if (!isLate) changes.takeBack();
      expect(shown()).toHaveLength(isLate ? 0 : 1);
      await turns();
      await answer(201, answerOf('7'));
      if (isLate) changes.takeBack();
      expect([shown(), asked.length]).toEqual([made(false), 1]);
    }
  });

  test('and is refused has nothing that could be changed: its own reason is said, and no other', async () => {
    for (const isSaid of [false, true]) {
      const { changes, asked, answer, shown, only } = atWork();
      const reasons: string[] = [];
      changes.create({ title: 'Tea' }, ({ message }) => reasons.push(message) > 0 && isSaid);
      changes.complete(only());
      await turns();
      await answer(400, { code: 'VALIDATION', message: 'No tea.' });
      expect([asked.length, reasons, shown()]).toEqual([1, ['No tea.'], []]);
      expect([changes.notice.value?.text, changes.waiting.value]).toEqual([isSaid ? undefined : 'No tea.', 0]);
    }
  });
});

test('an answer that comes late takes nobody the way back of what he did meanwhile', async () => {
  const { store, changes, answer } = atWork();
  const rent = answerOf('8', { title: 'Rent' });
  store.apply(rent);
  for (const title of ['Tea', 'Milk']) changes.create({ title }, refuse);
  await turns();
  await answer(201, answerOf('7'));
  changes.complete(rent);
  await answer(201, answerOf('9', { title: 'Milk' }));
  expect(changes.undo.value?.text).toBe('Done: Rent');
  expect(changes.notice.value?.text).toBe('Added to All, without a date: Milk');
});

test('of two that are added one after the other the later one is taken back', async () => {
  const { changes, answer } = atWork();
  for (const title of ['Tea', 'Milk']) changes.create({ title }, refuse);
  await turns();
  await answer(201, answerOf('7'));
  expect(changes.undo.value?.text).toBe('Added to All, without a date: Tea');
  await answer(201, answerOf('9', { title: 'Milk' }));
  expect(changes.undo.value?.text).toBe('Added to All, without a date: Milk');
});

test('what is deleted while a change of it is under way does not come back with the answer', async () => {
  const { store, changes, answer, shown } = atWork();
  store.apply(answerOf('7'));
  changes.complete(answerOf('7'));
  await turns();
  changes.remove([answerOf('7')], 'Deleted: Tea');
  await answer(200, answerOf('7', { completed: true }));
  expect(shown()).toEqual([]);
});

test('a refusal is an answer: nobody is away after it', async () => {
  const { store, changes, answer } = atWork();
  store.apply(answerOf('7'));
  changes.change(answerOf('7'), { title: '' });
  await turns();
  await answer(503, { message: 'Not now.' });
  expect(changes.trouble.value?.status).toBe(503);
  changes.again();
  await turns();
  await answer(400, { code: 'VALIDATION', message: 'A title is wanted.' });
  expect([changes.trouble.value, changes.notice.value?.text]).toEqual([null, 'A title is wanted.']);
});

test('a tab is held while a change is unanswered for longer than a moment, and only then', async () => {
  const { store, changes, answer } = atWork();
  const begun = Date.now();
  setSystemTime(begun);
  store.apply(answerOf('7'));
  changes.complete(answerOf('7'));
  await turns();
  expect(changes.isHeld()).toBe(false);
  setSystemTime(begun + 2_000);
  expect(changes.isHeld()).toBe(true);
  await answer(200, answerOf('7', { completed: true }));
  expect(changes.isHeld()).toBe(false);
  setSystemTime();
});

describe('a snooze', () => {
  const rung = answerOf('7', { reminder_status: 'sent' });
  const status = (store: ReturnType<typeof createStore>) => store.tasks.value.get('7')?.reminder_status;
  const inMinutes = (minutes: number) => Date.now() + minutes * 60_000;

  /** A tab that can wait, without anybody waiting. */
  function atLeisure(task: PageTask) {
    jest.useFakeTimers();
    const work = atWork();
    work.store.apply(task);
    const settle = async () => {
      for (let i = 0; i < 50; i++) await Promise.resolve();
    };
    return { ...work, settle };
  }

  test('is seen at once, and sent only when it can no longer be taken back: until the time that was said', async () => {
    const { store, changes, asked, settle } = atLeisure(rung);
    changes.snooze([rung], inMinutes(10), 'Reminds again: 10 min.');
    expect([status(store), changes.undo.value?.text]).toEqual(['pending', 'Reminds again: 10 min.']);
    jest.advanceTimersByTime(5_900);
    await settle();
    expect(asked).toEqual([]);
    jest.advanceTimersByTime(100);
    await settle();
    expect(asked).toEqual(['POST /tasks/7/snooze {"for":"PT594S"}']);
  });

  test('that is taken back was never sent', async () => {
    const { store, changes, asked, settle } = atLeisure(rung);
    changes.snooze([rung], inMinutes(10), 'Reminds again: 10 min.');
    changes.takeBack();
    jest.advanceTimersByTime(60_000);
    await settle();
    expect([status(store), asked]).toEqual(['sent', []]);
  });

  test('goes before what is done to the task next', async () => {
    const { changes, asked, settle } = atLeisure(rung);
    changes.snooze([rung], inMinutes(10), 'Reminds again: 10 min.');
    changes.acknowledge(rung);
    await settle();
    expect([asked, changes.undo.value]).toEqual([['POST /tasks/7/snooze {"for":"PT600S"}'], null]);
  });

  test('is sent at once, for good, where the reminder would come while it waits', async () => {
    const soon = answerOf('7', {
      reminder_status: 'pending',
      snoozed_until: new Date(Date.now() + 8_000).toISOString(),
    });
    const { changes, asked, settle } = atLeisure(soon);
    changes.snooze([soon], inMinutes(10), 'Reminds again: 10 min.');
    await settle();
    expect([asked.length, changes.undo.value, changes.notice.value?.text]).toEqual([1, null, 'Reminds again: 10 min.']);
  });
});
