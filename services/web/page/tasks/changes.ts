import { signal } from '@preact/signals';
import * as api from '../api.ts';
import { type PageTask, type TaskInput } from '../api.ts';
import { nameOf } from '../words.ts';
import type { Store } from './store.ts';

/** What can still be taken back, and the sentence that says what was done. */
export type Undo = { text: string; act: () => void };
/** What the page says of itself for a while; a refusal is said at once, also by a screen reader. */
export type Notice = { text: string; isRefusal: boolean };

export const UNDO_MS = 6_000;
const AGAIN_MS = 5_000;

export type Changes = ReturnType<typeof createChanges>;

/**
 * What a person does to tasks: shown at once, sent in order for each task, sent again while the network is away, and taken
 * back with the reason when the server refuses. `announce` hands each answer to the other tabs.
 */
export function createChanges(store: Store, announce: (task: PageTask) => void) {
  const undo = signal<Undo | null>(null);
  const notice = signal<Notice | null>(null);
  /** How many changes are not answered yet, and whether the last one found no server. */
  const waiting = signal(0);
  const isAway = signal(false);
  const last = new Map<string, Promise<void>>();
  /** By title: its event may be heard before the answer, and would stand beside what is shown until then. */
  const making = new Map<string, Promise<void>>();
  let undoTimer: ReturnType<typeof setTimeout> | undefined;
  let noticeTimer: ReturnType<typeof setTimeout> | undefined;
  /** A deletion that can still be taken back. */
  let leaving: ((keepalive?: boolean) => void) | undefined;

  function say(text: string, isRefusal = false): void {
    clearTimeout(noticeTimer);
    notice.value = { text, isRefusal };
    noticeTimer = setTimeout(() => (notice.value = null), UNDO_MS);
  }

  function offer(text: string, act: () => void): void {
    clearTimeout(undoTimer);
    undo.value = { text, act };
    undoTimer = setTimeout(() => (undo.value = null), UNDO_MS);
  }

  /** Runs `work` after what is under way for the task, again while nobody answers. */
  async function inTurn(id: string, work: () => Promise<void>): Promise<void> {
    waiting.value++;
    const before = last.get(id);
    const mine = (async () => {
      await before;
      try {
        await untilAnswered(work);
      } catch (error) {
        if (!(error instanceof api.ApiError)) throw error;
        say(error.message, true);
      }
    })();
    last.set(id, mine);
    await mine;
    waiting.value--;
    if (last.get(id) !== mine) return;
    last.delete(id);
    store.forget(id);
  }

  async function untilAnswered(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        isAway.value = false;
        return;
      } catch (error) {
        if (!(error instanceof api.ApiError) || !error.passes) throw error;
        isAway.value = error.status === 0;
        await pause(error.retryAfterMs ?? AGAIN_MS);
      }
    }
  }

  function answered(task: PageTask): void {
    store.apply(task);
    announce(task);
  }

  function change(task: PageTask, changes: TaskInput, shown: Partial<PageTask> = changes): void {
    store.show(task.id, shown);
    void inTurn(task.id, async () => answered(await api.changeTask(task.id, changes)));
  }

  /** Sends a deletion that waited. */
  function flush(keepalive = false): void {
    leaving?.(keepalive);
    leaving = undefined;
  }

  return {
    undo,
    notice,
    waiting,
    isAway,
    say,
    change,
    complete(...tasks: PageTask[]): void {
      for (const task of tasks) change(task, { completed: true });
      offer(`Done: ${nameOf(tasks)}`, () => {
        for (const task of tasks) change({ ...task, completed: true }, { completed: false });
      });
    },
    reopen(...tasks: PageTask[]): void {
      for (const task of tasks) change(task, { completed: false });
      offer(`Open again: ${nameOf(tasks)}`, () => {
        for (const task of tasks) change(task, { completed: true });
      });
    },
    /** Moves each to where it is told; one bar takes all back. */
    move(tasks: PageTask[], to: (task: PageTask) => string, text: string): void {
      const before = tasks.map((task) => [task, task.due_date] as const);
      for (const task of tasks) change(task, { due_date: to(task) });
      offer(text, () => before.forEach(([task, due]) => change(task, { due_date: due })));
    },
    /** Nothing is sent for as long as it can be taken back: a deleted task does not return. */
    remove(...tasks: PageTask[]): void {
      flush();
      for (const { id } of tasks) store.show(id, 'gone');
      const timer = setTimeout(flush, UNDO_MS);
      leaving = (keepalive = false) => {
        clearTimeout(timer);
        for (const { id } of tasks)
          void inTurn(id, async () => {
            await api.deleteTask(id, { keepalive });
            store.remove(id);
          });
      };
      offer(`Deleted: ${nameOf(tasks)}`, () => {
        clearTimeout(timer);
        leaving = undefined;
        for (const { id } of tasks) store.forget(id);
      });
    },
    /** Makes a task; it stands in the list before it is answered, under a name of its own until then. */
    create(input: TaskInput & { title: string }): void {
      const key = api.newKey();
      const id = `new-${key}`;
      const at = new Date().toISOString();
      if (!input.recurrence_pattern)
        store.show(id, api.asTask({ ...input, id, completed: false, created_at: at, updated_at: at }));
      const made = inTurn(id, async () => {
        const task = await api.createTask(input, key);
        answered(task);
        if (task.recurrence_pattern) for (const one of await api.listTasks(`parent=${task.id}`)) answered(one);
        store.forget(id);
        offer(`Added: ${task.title}`, () => {
          store.show(task.id, 'gone');
          void inTurn(task.id, async () => {
            await api.deleteTask(task.id);
            store.remove(task.id);
          });
        });
      });
      making.set(input.title, made);
      void made.then(() => making.get(input.title) === made && making.delete(input.title));
    },
    /** Puts a reminder off; the task stays due when it is. */
    snooze(task: PageTask, length: string, said: string): void {
      const key = api.newKey();
      store.show(task.id, { reminder_status: 'pending' });
      void inTurn(task.id, async () => {
        answered(await api.snooze(task.id, length, key));
        say(said);
      });
    },
    /** The reminder was seen. */
    acknowledge(task: PageTask): void {
      store.show(task.id, { reminder_status: 'acknowledged' });
      void inTurn(task.id, async () => answered(await api.acknowledge(task.id)));
    },
    /** Saves what a form has; answers what the server makes of it. @throws {ApiError} also 412: somebody was faster */
    async save(
      task: PageTask,
      input: TaskInput,
      { scope, etag }: { scope?: api.Scope; etag?: string },
    ): Promise<PageTask> {
      const saved = await api.changeTask(task.id, input, { ...(scope && { scope }), ...(etag && { ifMatch: etag }) });
      answered(saved);
      if (!saved.recurrence_pattern) return saved;
      // A series changes its instances with it.
      const isOfIt = (one: PageTask) => one.parent_recurring_task_id === saved.id && !one.completed;
      store.replace(await api.listTasks(`parent=${saved.id}&completed=false`), isOfIt);
      return saved;
    },
    takeBack(): void {
      clearTimeout(undoTimer);
      const { value } = undo;
      undo.value = null;
      value?.act();
    },
    flush,
    /** When a task of this title that is being made here has been answered; undefined: none is. */
    made: (title: string): Promise<void> | undefined => making.get(title),
  };
}

/** Until a time has passed, or the browser says that it has a network again. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener('online', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    addEventListener('online', go);
  });
}
