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

describe('the next date of a series', () => {
  const open = (store: ReturnType<typeof createStore>) =>
    [...store.tasks.value.values()].filter(({ parent_recurring_task_id: id }) => id !== null).map(({ id }) => id);
  const date = (id: string) => task(id, 1, { parent_recurring_task_id: 'gym' });
  function skipping() {
    const store = atOnce();
    for (const one of [task('gym', 1), date('first')]) store.apply(one);
    store.show('first', 'gone');
    store.expect('gym', date('next-gym'));
    return store;
  }

  test('stands in the place of the one that was skipped, also while that is deleted, until the server has made it', () => {
    const store = skipping();
    store.apply(date('first')); // heard once more meanwhile
    expect([open(store), store.isPending('next-gym')]).toEqual([['next-gym'], true]);
    store.remove('first');
    store.forget('first');
    expect(open(store)).toEqual(['next-gym']);
    store.apply(date('second'));
    expect(open(store)).toEqual(['second']);
    store.apply({ ...date('second'), completed: true, version: 2 });
    expect(open(store)).toEqual(['second']);
  });

  test('goes with its series, and when the skipped one is back', () => {
    const [back, without] = [skipping(), skipping()];
    back.forget('first');
    expect(open(back)).toEqual(['first']);
    back.remove('first');
    expect(open(back)).toEqual([]);
    without.remove('first');
    without.show('gym', 'gone');
    expect(open(without)).toEqual([]);
  });
});

describe('reminded', () => {
  const pending = (version: number) => task('a', version, { reminder_status: 'pending' });
  const status = (store: ReturnType<typeof createStore>) => store.tasks.value.get('a')?.reminder_status;

  test('is seen at once, also when its event comes before the list that still says pending', () => {
    const [before, after] = [atOnce(), atOnce()];
    before.reminded('a', 3);
    before.apply(pending(3));
    after.apply(pending(3));
    after.reminded('a', 3);
    expect([status(before), status(after)]).toEqual(['sent', 'sent']);
  });

  test('a task that was changed since, such as by a snooze, reminds again', () => {
    const store = atOnce();
    store.reminded('a', 3);
    store.apply(pending(4));
    expect(status(store)).toBe('pending');
  });
});

describe('read', () => {
  const isOpen = ({ completed }: PageTask) => !completed;

  test('takes away what an answer no longer holds, and nothing that was not asked for', async () => {
    const store = atOnce();
    for (const one of [task('a', 1), task('b', 1), task('c', 1, { completed: true })]) store.apply(one);
    await store.read(Promise.resolve([task('b', 2)]), isOpen);
    expect(titles(store).sort()).toEqual(['b 2', 'c 1']);
  });

  test('keeps what was heard of while the answer was under way', async () => {
    const store = atOnce();
    store.apply(task('a', 1));
    const { promise, resolve } = Promise.withResolvers<PageTask[]>();
    const done = store.read(promise, isOpen);
    store.apply(task('b', 1));
    store.remove('a');
    resolve([task('a', 1)]);
    await done;
    expect(titles(store)).toEqual(['b 1']);
  });

  test('after a doubt takes a state that is older, but not than what was heard since', async () => {
    const store = atOnce();
    for (const id of ['a', 'b', 'c']) store.apply(task(id, 5));
    store.remove('c');
    store.doubt();
    store.apply(task('b', 4));
    await store.read(Promise.resolve([task('a', 2), task('b', 3), task('c', 2)]), isOpen);
    expect(titles(store).sort()).toEqual(['a 2', 'b 4', 'c 2']);
  });
});

test('many changes of one moment are shown at once', async () => {
  const store = createStore();
  let times = 0;
  store.tasks.subscribe(() => void times++);
  for (let i = 0; i < 100; i++) store.apply(task(`t${i}`, 1));
  await Promise.resolve();
  expect([times, store.tasks.value.size]).toEqual([2, 100]);
});
