import { computed, effect, signal } from '@preact/signals';
import * as api from '../api.ts';
import type { Item } from '../live/protocol.ts';
import { hasEvents, session } from '../session.ts';
import { changes, onItem, stream } from '../state.ts';

const SHOWN = 200;

/** What the inbox has for this person to notice, newest first; null: not read yet. */
export const notices = signal<Item[] | null>(null);
export const unread = computed(() => (notices.value ?? []).filter(({ read_at: at }) => at === null).length);

/** Reads the inbox when the stream begins and when it comes back, and adds what is heard. */
export function watchInbox(): void {
  effect(() => {
    if (session.value.is === 'out') notices.value = null;
    else if (session.value.is === 'in' && hasEvents.value && stream.value.is === 'live') void read();
  });
  onItem((item) => {
    if (!item.notify || notices.value === null) return;
    notices.value = [item, ...notices.value.filter(({ id }) => id !== item.id)].slice(0, SHOWN);
  });
}

async function read(): Promise<void> {
  try {
    const [unreadOnes, latest] = await Promise.all([
      api.notices(`unread=true&limit=${SHOWN}`),
      api.notices(`limit=${SHOWN}`),
    ]);
    const all = new Map([...latest, ...unreadOnes].map((item) => [item.id, item]));
    notices.value = [...all.values()].sort((a, b) => b.id - a.id);
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
