import { computed, effect, signal } from '@preact/signals';
import { ApiError, listTasks, type PageTask } from './api.ts';
import { connect, type Connection } from './live/connection.ts';
import type { Heard, Item, StreamState } from './live/protocol.ts';
import { expire, hasEvents, leave, session } from './session.ts';
import { createChanges } from './tasks/changes.ts';
import { nextDates } from './tasks/series.ts';
import { createStore } from './tasks/store.ts';

// What a tab holds, and the way from the stream into it.

export const store = createStore();
export const stream = signal<StreamState>({ is: 'starting' });
/** Whether the first list has come; until then a view says nothing of what it holds. */
export const isRead = signal(false);
/** Moves each half minute: what is due, late and today is measured by it. */
export const now = signal(Date.now());

/** Longer than a stream takes that can be had; a list that is old by then is read again once it is live. */
const PATIENCE_MS = 700;
const CROWDED_MS = 60_000;

const nextOfSeries = computed(() => nextDates(store.tasks.value.values()));
/** When a series is due next, as far as its dates have been made. */
export const nextDateOf = (id: string): string | undefined => nextOfSeries.value.get(id);

let connection: Connection | undefined;
export const changes = createChanges(store, (task) => connection?.say({ type: 'task', task }));

const listeners = new Set<(item: Item) => void>();
/** Tells of each event as it is heard; answers how to end that. */
export function onItem(listener: (item: Item) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The stream first, then the list: what happens meanwhile is heard, and each task says by its version which of the two is
 * newer (CONTRACT 9).
 */
export function start(): void {
  setInterval(() => (now.value = Date.now()), 30_000);
  addEventListener('focus', () => (now.value = Date.now()));
  // Nothing is heard: looked up instead.
  const look = () => stream.value.is === 'crowded' && void readOpen();
  setInterval(look, CROWDED_MS);
  addEventListener('focus', look);
  addEventListener('pagehide', () => changes.flush(true));
  addEventListener('beforeunload', (event) => {
    if (changes.waiting.value > 0 && changes.isAway.value) event.preventDefault();
  });
  effect(() => {
    if (session.value.is === 'in') begin();
    if (session.value.is === 'out') end();
  });
}

function begin(): void {
  if (!hasEvents.value) return void readOpen(); // Phase IV has no stream
  connection ??= connect(hear);
  connection.say({ type: 'open' });
  setTimeout(() => isRead.value || session.value.is !== 'in' || void readOpen(), PATIENCE_MS);
}

function end(): void {
  store.clear();
  isRead.value = false;
}

export function signOut(): void {
  connection?.say({ type: 'signed-out' });
  leave();
}

/** Reads all that is open anew, until somebody answers. */
async function readOpen(): Promise<void> {
  try {
    store.replace(await listTasks('completed=false'), (task) => !task.completed);
    isRead.value = true;
    changes.isAway.value = false;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (!error.passes || session.value.is !== 'in') return;
    changes.isAway.value = error.status === 0;
    setTimeout(readOpen, error.retryAfterMs ?? 5_000);
  }
}

function hear(heard: Heard): void {
  switch (heard.type) {
    case 'state':
      stream.value = heard.state;
      if (heard.state.is === 'live' && !(isRead.value && heard.state.hasResumed)) void readOpen();
      if (heard.state.is === 'out') expire();
      return;
    case 'gap':
      changes.say('Some updates were missed; the list was read again.');
      return void readOpen();
    case 'task':
      return store.apply(heard.task);
    case 'signed-out':
      return leave();
    case 'item':
      void take(heard.item);
      for (const listener of listeners) listener(heard.item);
  }
}

async function take({ event }: Item): Promise<void> {
  if (event.event_type === 'task.created' && event.task) await changes.made(event.task.title);
  if (event.event_type === 'task.deleted') store.remove(event.task_id);
  else if (event.event_type === 'task.reminder.triggered') store.reminded(event.task_id, event.task_version);
  else if (event.task) store.apply(event.task satisfies PageTask);
}
