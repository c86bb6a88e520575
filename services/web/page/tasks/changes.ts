import { signal } from '@preact/signals';
import * as api from '../api.ts';
import { type PageTask, type TaskInput } from '../api.ts';
import { createSending } from './sending.ts';
import { nameOf } from '../words.ts';
import type { Store } from './store.ts';

/** What can still be taken back, and the sentence that says what was done. */
export type Undo = { text: string; act: () => void; href?: string };
/** What the page says of itself for a while; a refusal is said at once, also by a screen reader. */
export type Notice = { text: string; isRefusal: boolean };

export const UNDO_MS = 6_000;

export type Changes = ReturnType<typeof createChanges>;

type Links = {
  /** Hands an answer to the other tabs. */
  announce: (task: PageTask) => void;
  /** Resolves when a session that has ended is one again, or is left for good. */
  untilSignedIn: () => Promise<void>;
};

/** What a person does to tasks: shown at once, sent as `sending` does it, and taken back with the reason when the server refuses. */
export function createChanges(store: Store, { announce, untilSignedIn }: Links) {
  const undo = signal<Undo | null>(null);
  const notice = signal<Notice | null>(null);
  const sending = createSending({ untilSignedIn, refused, settled });
  const { waiting, trouble, inTurn } = sending;
  /** Tasks that are being made here, as they were shown first, each by a name of its own until it is answered. */
  const unanswered = new Map<string, PageTask>();
  /** By that name the id that the answer gave, and the other way round: its turn is known by the name for good. */
  const ids = new Map<string, string>();
  const names = new Map<string, string>();
  const idOf = (name: string): string => ids.get(name) ?? name;
  /** By title: its event may be heard before the answer, and would stand beside what is shown until then. */
  const making = new Map<string, Promise<void>>();
  let undoTimer: ReturnType<typeof setTimeout> | undefined;
  /** What was last offered for a new task; a newer one may take its place. */
  let added: Undo | null = null;
  let noticeTimer: ReturnType<typeof setTimeout> | undefined;
  /** What waits for as long as it can be taken back, and which tasks it is about. */
  let held:
    | {
        timer: ReturnType<typeof setTimeout>;
        tasks: PageTask[];
        send: (keepalive: boolean) => void;
        takeBack: () => void;
      }
    | undefined;

  function say(text: string, isRefusal = false): void {
    clearTimeout(noticeTimer);
    notice.value = { text, isRefusal };
    noticeTimer = setTimeout(() => (notice.value = null), UNDO_MS);
  }

  /** `href`: where it is to be seen, if that may be elsewhere. */
  function offer(text: string, act: () => void, href?: string): void {
    clearTimeout(undoTimer);
    undo.value = { text, act, ...(href && { href }) };
    undoTimer = setTimeout(() => (undo.value = null), UNDO_MS);
  }

  function refused(id: string, error: api.ApiError, title: string | undefined): void {
    if (error.status !== 404 || title === undefined) return say(error.message, true);
    store.remove(idOf(id));
    say(`“${title}” was deleted elsewhere; what you changed of it is not kept.`, true);
  }

  function answered(task: PageTask): void {
    store.apply(task);
    announce(task);
  }

  function settled(name: string): void {
    for (const id of new Set([name, idOf(name)])) if (!waits(id)) store.forget(id);
  }

  const waits = (id: string): boolean => held?.tasks.some((task) => idOf(task.id) === idOf(id)) ?? false;

  /** Does `work` in the turn of a task, by the id that it has by then; a task whose making was refused has none. */
  function byId(name: string, work: (id: string) => Promise<void>, title?: string): Promise<void> {
    if (waits(name)) flush(); // it was done before
    const isMadeHere = unanswered.has(name);
    const act = async () => {
      if (!isMadeHere || ids.has(name)) await work(idOf(name));
    };
    return inTurn(names.get(name) ?? name, act, title);
  }

  function change({ id: name, title }: PageTask, changes: TaskInput): void {
    store.show(idOf(name), changes);
    void byId(name, async (id) => answered(await api.changeTask(id, changes)), title);
  }

  async function erase(id: string, keepalive = false): Promise<void> {
    try {
      await api.deleteTask(id, { keepalive });
    } catch (error) {
      // Gone already: somebody else was faster, or the answer to a first attempt was lost.
      if (!(error instanceof api.ApiError) || error.status !== 404) throw error;
    }
    store.remove(id);
  }

  /** What waited, and does not any more. */
  function release(): typeof held {
    const before = held;
    clearTimeout(before?.timer);
    held = undefined;
    return before;
  }

  /** Sends what waited; it is not taken back any more. */
  function flush(keepalive = false): void {
    const before = release();
    if (undo.value?.act === before?.takeBack) undo.value = null;
    before?.send(keepalive);
  }

  /** Sends what is shown of `tasks` once it can no longer be taken back, since the API takes it back by nothing. */
  function hold(tasks: PageTask[], text: string, send: (keepalive: boolean) => void): void {
    flush();
    const mine = { timer: setTimeout(flush, UNDO_MS), tasks, send, takeBack };
    held = mine;
    offer(text, takeBack);

    function takeBack(): void {
      if (held === mine) release();
      for (const { id } of tasks) {
        const made = unanswered.get(id);
        if (made && !ids.has(id)) store.show(id, made);
        else store.forget(idOf(id));
      }
    }
  }

  return {
    undo,
    notice,
    waiting,
    trouble,
    say,
    again: sending.again,
    /** Another request has found somebody who answers. */
    answered: () => void (trouble.value = null),
    /** Whether something would be lost with this tab. */
    isHeld: () => sending.isLate() || (trouble.value !== null && held !== undefined),
    /** Sends what waits, and resolves when all is answered. @throws {ApiError} why it cannot be now */
    settled(): Promise<void> {
      flush();
      return sending.allAnswered();
    },
    /** Forgets what waits: whose it was has left. */
    drop(): void {
      release();
      sending.drop();
      making.clear();
      for (const map of [unanswered, ids, names]) map.clear();
      undo.value = notice.value = null;
    },
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
    /**
     * Nothing is sent for as long as it can be taken back: a deleted task does not return. `dates` are those of its series,
     * which the server deletes with them.
     */
    remove(tasks: PageTask[], text: string, dates: PageTask[] = []): void {
      const gone = [...tasks, ...dates];
      for (const one of gone) store.show(idOf(one.id), 'gone');
      const erased = async (keepalive: boolean) => {
        await Promise.all(tasks.map(({ id }) => byId(id, (known) => erase(known, keepalive))));
        // The server's word is heard by now; where it refused they are still there.
        for (const { id } of dates) store.forget(id);
      };
      hold(gone, text, (keepalive) => void erased(keepalive));
    },
    /** Makes a task; it stands in the list before it is answered, under a name of its own until then. `refuse` hears why there is none, and answers whether it has said it. */
    create(input: TaskInput & { title: string }, refuse: (error: api.ApiError) => boolean): void {
      const key = api.newKey();
      const name = `new-${key}`;
      const at = new Date().toISOString();
      if (!input.recurrence_pattern) {
        const shown = api.asTask({ ...input, id: name, completed: false, created_at: at, updated_at: at });
        unanswered.set(name, shown);
        store.show(name, shown);
      }
      const made = inTurn(name, async () => {
        const task = await api.createTask(input, key).catch((error: unknown) => {
          const isRefused = error instanceof api.ApiError && !error.passes && error.status !== 401;
          if (isRefused && refuse(error)) return null;
          throw error;
        });
        if (!task) return;
        const { id } = task;
        ids.set(name, id);
        names.set(id, name);
        const isTouched = store.rename(name, id, unanswered.get(name));
        answered(task);
        if (task.recurrence_pattern) for (const one of await api.listTasks(`parent=${id}`)) answered(one);
        const takeBack = () => {
          store.show(id, 'gone');
          void byId(id, (known) => erase(known));
        };
        // What was done to it meanwhile has a bar of its own. Without a date it is on no list of days.
        const [where, path] = task.due_date ? ['', ''] : [' to All, without a date', '/all'];
        if (isTouched) return;
        const text = `Added${where}: ${task.title}`;
        if (undo.value !== null && undo.value !== added) return say(text); // what was done meanwhile keeps its way back
        offer(text, takeBack, `${path}?task=${id}`);
        added = undo.value;
      });
      making.set(input.title, made);
      void made.then(() => making.get(input.title) === made && making.delete(input.title));
    },
    /**
     * Puts reminders off until an instant, in ms; the tasks stay due when they are. Nothing is sent for as long as it can be
     * taken back: one that has come stays `sent` until then and rings no second time. One that would come meanwhile is put off
     * at once, for good.
     */
    snooze(tasks: PageTask[], until: number, text: string): void {
      const shown = { reminder_status: 'pending', snoozed_until: new Date(until).toISOString() };
      for (const { id } of tasks) store.show(idOf(id), shown);
      const send = () => {
        const length = `PT${Math.max(1, Math.round((until - Date.now()) / 1000))}S`;
        for (const { id: name, title } of tasks) {
          const key = api.newKey();
          void byId(name, async (id) => answered(await api.snooze(id, length, key)), title);
        }
      };
      const isNear = ({ reminder_status: status, snoozed_until: before }: PageTask) =>
        status === 'pending' && Date.parse(before ?? '') < Date.now() + 2 * UNDO_MS;
      if (!tasks.some(isNear)) return hold(tasks, text, send);
      send();
      say(text);
    },
    /** The reminder was seen. */
    acknowledge(task: PageTask): void {
      store.show(idOf(task.id), { reminder_status: 'acknowledged' });
      void byId(task.id, async (id) => answered(await api.acknowledge(id)), task.title);
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
      // A series changes its instances with it; where they cannot be read now they are heard of.
      const isOfIt = (one: PageTask) => one.parent_recurring_task_id === saved.id && !one.completed;
      await store.read(api.listTasks(`parent=${saved.id}&completed=false`), isOfIt).catch(() => {});
      return saved;
    },
    /** Says that a form was saved. Taken back, each field has its earlier value, unless somebody has changed the task since. */
    saved({ id }: PageTask, earlier: TaskInput, ifMatch: string): void {
      offer('Saved.', () => void byId(id, async () => answered(await api.changeTask(id, earlier, { ifMatch }))));
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
    /** The id of a task that was made here by a name of its own, once it is answered; until then that name. */
    idOf,
  };
}
