import { computed, effect, signal } from '@preact/signals';
import { ApiError, listTasks, type PageTask, setTimezone, timezone } from './api.ts';
import { connect, type Connection } from './live/connection.ts';
import type { Heard, Item, StreamState } from './live/protocol.ts';
import { expire, hasEvents, isOthers, isSignedOut, leave, resume, saySignedOut, session, zone } from './session.ts';
import { createChanges } from './tasks/changes.ts';
import { forgetLine } from './tasks/kept-line.ts';
import { until } from './tasks/sending.ts';
import { nextDates } from './tasks/series.ts';
import { createStore } from './tasks/store.ts';
import { count } from './words.ts';

// What a tab holds, and the way from the stream into it.

export const store = createStore();
export const stream = signal<StreamState>({ is: 'starting' });
/** Whether the first list has come; until then a view says nothing of what it holds. */
export const isRead = signal(false);
/** Grows when what was read so far may be old: the way was away, or something was missed. */
export const readings = signal(0);
/** Moves each half minute: what is due, late and today is measured by it. */
export const now = signal(Date.now());

/** Longer than a stream takes that can be had; a list that is old by then is read again once it is live. */
const PATIENCE_MS = 700;
const UNHEARD_MS = 60_000;
const LOOK_MS = 300_000;
const AGAIN_MS = 5_000;

const nextOfSeries = computed(() => nextDates(store.tasks.value.values()));
/** When a series is due next, as far as its dates have been made. */
export const nextDateOf = (id: string): string | undefined => nextOfSeries.value.get(id);

let connection: Connection | undefined;
export const changes = createChanges(store, {
  announce: (task) => connection?.say({ type: 'task', task }),
  untilSignedIn: () => until(() => session.value.is !== 'ended'),
});

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
  setInterval(() => isUnheard() && void lookAgain(), UNHEARD_MS);
  setInterval(() => void lookAgain(), LOOK_MS);
  addEventListener('focus', () => void lookAgain());
  addEventListener('online', () => {
    changes.again();
    connection?.say({ type: 'check' });
  });
  addEventListener('pagehide', () => changes.flush(true));
  addEventListener('storage', (event) => {
    const told = event as StorageEvent;
    if (isOthers(told) || isSignedOut(told)) leave(`You were signed out in another tab.${lost()}`);
  });
  addEventListener('beforeunload', (event) => changes.isHeld() && event.preventDefault());
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

const isUnheard = (): boolean => stream.value.is !== 'live' || !hasEvents.value;

/** Nothing is heard, or a stream only seems open: looked up. The server may also have begun or ceased to publish (`EVENTS`). */
async function lookAgain(): Promise<void> {
  if (session.value.is !== 'in') return;
  connection?.say({ type: 'check' });
  if (isUnheard()) [readings.value] = [readings.value + 1, void readOpen()];
  try {
    const [had, before] = [hasEvents.value, zone.value];
    const own = await timezone();
    hasEvents.value = own !== undefined;
    if (own && zone.value === before) zone.value = own; // of another device; what was chosen meanwhile is newer
    if (!had && hasEvents.value) begin();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // nobody answers: nothing new is known
  }
}

/** Of the user, and at once of every tab of this browser. @throws {ApiError} */
export async function chooseZone(name: string): Promise<void> {
  await setTimezone(name);
  zone.value = name;
  connection?.say({ type: 'zone', zone: name });
}

function end(): void {
  connection?.say({ type: 'left' });
  changes.drop();
  store.clear();
  forgetLine();
  isRead.value = false;
}

const lost = (): string =>
  changes.waiting.value > 0 ? ` ${count(changes.waiting.value, 'change')} made here could not be sent.` : '';

export function signOut(): void {
  connection?.say({ type: 'signed-out' });
  saySignedOut();
  leave();
}

let isReading = false;
let isReadingOld = false;
let nextReading: ReturnType<typeof setTimeout> | undefined;

/** Reads all that is open anew, until somebody answers; one reading at a time, lest an older answer come last. */
async function readOpen(): Promise<void> {
  if (isReading) return void (isReadingOld = true);
  clearTimeout(nextReading);
  isReading = true;
  try {
    await store.read(listTasks('completed=false'), (task) => !task.completed);
    isRead.value = session.value.is !== 'out';
    changes.answered();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (!error.passes) return changes.answered(); // by somebody who is there
    if (session.value.is !== 'in') return;
    changes.trouble.value = error;
    nextReading = setTimeout(readOpen, error.retryAfterMs ?? AGAIN_MS);
  } finally {
    isReading = false;
    if (isReadingOld) [isReadingOld] = [false, void readOpen()];
  }
}

function hear(heard: Heard): void {
  switch (heard.type) {
    case 'state':
      if (heard.state.is === 'live' && !['starting', 'live'].includes(stream.value.is)) readings.value++;
      stream.value = heard.state;
      if (heard.state.is === 'live' && !(isRead.value && heard.state.hasResumed)) void readOpen();
      if (heard.state.is === 'live') changes.again();
      if (heard.state.is === 'live' && session.value.is === 'ended') void enterAgain();
      if (heard.state.is === 'out') expire();
      return;
    case 'gap':
      changes.say('Some updates were missed; the list was read again.');
      store.doubt();
      readings.value++;
      return void readOpen();
    case 'task':
      return store.apply(heard.task);
    case 'zone':
      return void (zone.value = heard.zone);
    case 'item':
      void take(heard.item);
      for (const listener of listeners) listener(heard.item);
  }
}

/** Somebody has signed in again in another tab. */
async function enterAgain(): Promise<void> {
  try {
    await resume();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the dialog stays
  }
}

async function take({ event }: Item): Promise<void> {
  if (event.event_type === 'task.created' && event.task) await changes.made(event.task.title);
  if (event.event_type === 'task.deleted') store.remove(event.task_id);
  else if (event.event_type === 'task.reminder.triggered') store.reminded(event.task_id, event.task_version);
  else if (event.task) store.apply(event.task satisfies PageTask);
}
