import { computed, effect, signal } from '@preact/signals';
import * as api from '../api.ts';
import type { Item } from '../live/protocol.ts';
import { hasEvents, session } from '../session.ts';
import { changes, onItem, readings, stream } from '../state.ts';

const SHOWN = 200;

/** What the inbox has for this person to notice, newest first; null: not read yet. */
export const notices = signal<Item[] | null>(null);
export const unread = computed(() => (notices.value ?? []).filter(({ read_at: at }) => at === null).length);

/** What was heard since the last reading began. */
let heard: Item[] = [];

/**
 * Reads the inbox when the stream begins, when it comes back and when it has missed something, and adds what is heard; each
 * minute where others have the places.
 */
export function watchInbox(): void {
  effect(() => {
    void readings.value;
    if (session.value.is === 'out') notices.value = null;
    else if (session.value.is === 'in' && hasEvents.value && ['live', 'crowded'].includes(stream.value.is)) void read();
  });
  onItem((item) => {
    if (!item.notify) return;
    heard.push(item);
    if (notices.value !== null) notices.value = merged([...notices.value, item]);
  });
}

const merged = (items: Item[]): Item[] =>
  [...new Map(items.map((item) => [item.id, item])).values()].sort((a, b) => b.id - a.id).slice(0, SHOWN);

async function read(): Promise<void> {
  heard = [];
  try {
    const [unreadOnes, latest] = await Promise.all([api.notices('unread=true&', SHOWN), api.notices('', SHOWN)]);
    // An answer was made before what was heard meanwhile.
    if (session.value.is !== 'out') notices.value = merged([...heard, ...latest, ...unreadOnes]);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    // The state line says that nobody answers; once somebody does, the stream is live again.
  }
}

export async function markRead({ id }: Item): Promise<void> {
  show((item) => item.id === id);
  await api.markRead(id).catch(refused);
}

/** What came after the newest that is shown stays unread. */
export async function markAllRead(): Promise<void> {
  const newest = notices.value?.[0]?.id;
  if (newest === undefined) return;
  show(() => true);
  await api.markAllRead(newest).catch(refused);
}

function show(isRead: (item: Item) => boolean): void {
  const at = new Date().toISOString();
  notices.value = (notices.value ?? []).map((item) =>
    isRead(item) && item.read_at === null ? { ...item, read_at: at } : item,
  );
}

function refused(error: unknown): void {
  if (!(error instanceof api.ApiError)) throw error;
  changes.say(error.message, true);
  void read();
}
