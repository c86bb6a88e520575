import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { asTask, type PageTask } from '../api.ts';
import { createStore } from './store.ts';

const task = (id: string, version: number | null, more: Partial<PageTask> = {}): PageTask => {
  const at = new Date(Date.UTC(2026, 0, 1) + (version ?? 0) * 1000).toISOString();
  return asTask({ id, title: `${id} ${version}`, completed: false, created_at: at, updated_at: at, version, ...more });
};
const atOnce = () => createStore({ later: (work) => work() });
const titles = (store: ReturnType<typeof createStore>) => [...store.tasks.value.values()].map(({ title }) => title);

describe('apply', () => {
  test('the newest state wins, in whatever order the states of a task come', () => {
    const order = fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 });
    fc.assert(
      fc.property(order, fc.boolean(), (versions, isPlain) => {
        const store = atOnce();
        for (const version of versions) store.apply(task('a', version, isPlain ? { version: null } : {}));
        expect(titles(store)).toEqual(['a 4']);
      }),
    );
  });

  test('what was deleted does not come back by a change that came late', () => {
    const store = atOnce();
    store.apply(task('a', 1));
    store.remove('a');
    store.apply(task('a', 2));
    expect(titles(store)).toEqual([]);
  });
});

describe('show', () => {
  test('a change stands above what the server has, also above what it says meanwhile, until it is forgotten', () => {
    const store = atOnce();
    store.apply(task('a', 1));
    store.show('a', { title: 'mine' });
    store.show('a', { priority: 'high' });
    store.apply(task('a', 2, { description: 'theirs' }));
    expect([...store.tasks.value.values()]).toMatchObject([{ title: 'mine', priority: 'high', description: 'theirs' }]);
    store.forget('a');
    expect(titles(store)).toEqual(['a 2']);
  });

  test('what is gone comes back when it is forgotten, and what was being made goes', () => {
    const store = atOnce();
    store.apply(task('a', 1));
    store.show('a', 'gone');
    store.show('new', task('new', null));
    expect(titles(store)).toEqual(['new null']);
    store.forget('a');
    store.forget('new');
    expect(titles(store)).toEqual(['a 1']);
  });
});

test('replace takes away what an answer no longer holds, and nothing that was not asked for', () => {
  const store = atOnce();
  for (const one of [task('a', 1), task('b', 1), task('c', 1, { completed: true })]) store.apply(one);
  store.replace([task('b', 2)], ({ completed }) => !completed);
  expect(titles(store).sort()).toEqual(['b 2', 'c 1']);
});

test('many changes of one moment are shown at once', async () => {
  const store = createStore();
  let times = 0;
  store.tasks.subscribe(() => void times++);
  for (let i = 0; i < 100; i++) store.apply(task(`t${i}`, 1));
  await Promise.resolve();
  expect([times, store.tasks.value.size]).toEqual([2, 100]);
});
