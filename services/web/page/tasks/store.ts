import { type ReadonlySignal, signal } from '@preact/signals';
import type { PageTask } from '../api.ts';
import { isAsNew } from './merge.ts';
import { isComing } from './views.ts';

export type Store = ReturnType<typeof createStore>;

/**
 * The tasks of a tab: what the server has said of each, and above that what changes under way will make of it. To take a
 * change back is to forget it. Views are filters over `tasks`.
 */
export function createStore({ later = queueMicrotask }: { later?: (work: () => void) => void } = {}) {
  const known = new Map<string, PageTask>();
  /** A deletion may be heard of before the change that came first. */
  const deleted = new Set<string>();
  /** When each was last heard of, as a count of what was heard; and what was heard until then is in doubt. */
  const heardAt = new Map<string, number>();
  let heard = 0;
  let doubted = 0;
  /** Whose tasks these are, as a count of the times that all were forgotten. */
  let life = 0;
  /** Of a reminder that has come, the version of the task that it was for. */
  const rung = new Map<string, number>();
  const local = new Map<string, Partial<PageTask> | 'gone'>();
  /** Of a series whose date was skipped the next one, until the server has made it; by the id of the series. */
  const coming = new Map<string, PageTask>();
  const tasks = signal<ReadonlyMap<string, PageTask>>(new Map());
  let isStale = false;

  /** Many changes of one moment are shown at once. */
  function changed(): void {
    if (isStale) return;
    isStale = true;
    later(() => {
      isStale = false;
      tasks.value = shown();
    });
  }

  function shown(): Map<string, PageTask> {
    const map = new Map(known);
    for (const [id, change] of local) {
      const task = known.get(id);
      if (change === 'gone') map.delete(id);
      else if (task) map.set(id, { ...task, ...change });
      else if (change.id === id) map.set(id, change as PageTask); // made here, and not answered yet
    }
    const isNext = (task: PageTask, id: string) => task.parent_recurring_task_id === id && !task.completed;
    for (const [id, task] of coming)
      if (map.has(id) && ![...map.values()].some((one) => isNext(one, id))) map.set(task.id, task);
    return map;
  }

  /** The server says `pending` for a moment after it has reminded, and the event may come before the list. */
  function asRung(task: PageTask): PageTask {
    const { id, version, reminder_status: status } = task;
    const isRung = status === 'pending' && version !== null && (rung.get(id) ?? -1) >= version;
    return isRung ? { ...task, reminder_status: 'sent' } : task;
  }

  /** A series has a date of the server's own. */
  const comes = (task: PageTask | undefined) => !task?.completed && coming.delete(task?.parent_recurring_task_id ?? '');

  const isInDoubt = (id: string): boolean => (heardAt.get(id) ?? 0) <= doubted;

  function apply(given: PageTask): void {
    const task = asRung(given);
    const before = known.get(task.id);
    if (!isInDoubt(task.id) && (deleted.has(task.id) || (before && !isAsNew(task, before)))) return;
    deleted.delete(task.id);
    known.set(task.id, task);
    if (local.get(task.id) !== 'gone') comes(task);
    heardAt.set(task.id, ++heard);
    changed();
  }

  return {
    tasks: tasks as ReadonlySignal<ReadonlyMap<string, PageTask>>,
    /** Of the server: a state that is older than the one known changes nothing. */
    apply,
    remove(id: string): void {
      deleted.add(id);
      heardAt.set(id, ++heard);
      if (known.delete(id)) changed();
    },
    /** Reads anew all that matches a question: what the answer no longer holds is gone, unless it was heard of meanwhile. */
    async read(ask: Promise<PageTask[]>, isAsked: (task: PageTask) => boolean): Promise<void> {
      const [asked, lived] = [heard, life];
      const all = await ask;
      if (life !== lived) return;
      const ids = new Set(all.map(({ id }) => id));
      for (const [id, task] of known)
        if (isAsked(task) && !ids.has(id) && (heardAt.get(id) ?? 0) <= asked) known.delete(id);
      for (const task of all) apply(task);
      changed();
    },
    /** The server may have gone back: of what was heard so far the next state counts, whatever its version (CONTRACT 9). */
    doubt(): void {
      doubted = heard;
    },
    /** The server publishes nothing when a reminder was sent; its event says so (CONTRACT 8). */
    reminded(id: string, version: number): void {
      rung.set(id, version);
      const task = known.get(id);
      if (task) apply(task);
    },
    /** Shows a change before it is answered, or a task that is being made. */
    show(id: string, change: Partial<PageTask> | 'gone'): void {
      const before = local.get(id);
      const isMore = typeof before === 'object' && typeof change === 'object';
      local.set(id, isMore ? { ...before, ...change } : change);
      changed();
    },
    /** Shows the next date of a series for as long as it has no other: it is not made by the server yet. */
    expect(seriesId: string, task: PageTask): void {
      coming.set(seriesId, task);
      changed();
    },
    /** A task that was `made` here has its id: what was done to it since stays in sight. Answers whether there is any. */
    rename(from: string, to: string, made: PageTask | undefined): boolean {
      const change = local.get(from);
      if (change === undefined || made === undefined) return false;
      local.delete(from);
      const isOther = ([field, value]: [string, unknown]) => value !== made[field as keyof PageTask];
      const since = change === 'gone' ? change : Object.fromEntries(Object.entries(change).filter(isOther));
      if (Object.keys(since).length === 0) return false;
      local.set(to, since);
      return true;
    },
    /** Shows what the server has, and nothing more. */
    forget(id: string): void {
      if (!local.delete(id)) return;
      comes(known.get(id));
      changed();
    },
    get: (id: string): PageTask | undefined => known.get(id),
    isPending: (id: string): boolean => local.has(id) || isComing({ id }),
    clear(): void {
      life++;
      known.clear();
      deleted.clear();
      heardAt.clear();
      rung.clear();
      local.clear();
      coming.clear();
      changed();
    },
  };
}
