import { effect, signal } from '@preact/signals';
import * as api from '../api.ts';
import { hidesTitles } from '../choices.ts';
import { hasEvents, session, zone } from '../session.ts';
import { onItem, store } from '../state.ts';
import { fullTime } from '../words.ts';
import type { Item } from './protocol.ts';
import { scriptUrl, serviceWorker } from './trusted.ts';

// Notifications of the operating system, while a tab lives. Every tab shows them: one tag for each task makes them one.

/** What a person wants to be told of; the stream carries all. */
export const level = signal<api.Level>('all');
/** Null: this browser has none at this address (they want https, or the loopback). */
export const permission = signal<NotificationPermission | null>(
  'Notification' in globalThis && 'serviceWorker' in navigator ? Notification.permission : null,
);

export function watchOutside(): void {
  const look = () => {
    if (session.value.is === 'in' && hasEvents.value) void readLevel();
  };
  effect(look);
  addEventListener('focus', look); // it may have been chosen in another tab or on another device
  effect(() => {
    if (session.value.is === 'out') void closeAll();
  });
  effect(() => {
    if (permission.value === 'granted') void navigator.serviceWorker.register(scriptUrl(serviceWorker));
  });
  if (permission.value !== null)
    navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ open?: string }>) => {
      if (!data.open) return;
      history.pushState(null, '', data.open);
      dispatchEvent(new PopStateEvent('popstate')); // the router's own sign to look again
    });
  onItem((item) => void tell(item));
}

/** Asked only on a click: what asks by itself is refused for good. */
export async function ask(): Promise<void> {
  permission.value = await Notification.requestPermission();
}

async function readLevel(): Promise<void> {
  try {
    level.value = await api.level();
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error; // until it is known all is told
  }
}

async function tell(item: Item): Promise<void> {
  if (permission.value !== 'granted') return;
  const { event } = item;
  const registration = await navigator.serviceWorker.ready;
  const isReminder = event.event_type === 'task.reminder.triggered';
  if (!isReminder && isSettled(item))
    for (const shown of await registration.getNotifications({ tag: event.task_id })) shown.close();
  if (!item.notify || level.value === 'none' || (level.value === 'critical' && !isReminder)) return;
  const title = hidesTitles.value ? 'TaskFlow' : (event.title ?? event.task?.title ?? 'TaskFlow');
  const options = {
    tag: event.task_id,
    body: isReminder && event.due_date ? `Due ${fullTime(event.due_date, zone.value)}` : 'Changed by somebody else',
    icon: '/icon.svg',
    data: { id: event.task_id },
    ...(isReminder && {
      actions: [
        { action: 'done', title: 'Done' },
        { action: 'snooze', title: 'Snooze 10 min' },
      ],
    }),
  };
  await registration.showNotification(title, options);
}

/** Done, deleted, put off or seen: what was shown of it means nothing any more. */
function isSettled({ event }: Item): boolean {
  const task = store.get(event.task_id) ?? event.task;
  return event.event_type === 'task.deleted' || !task || task.completed || task.reminder_status !== 'sent';
}

async function closeAll(): Promise<void> {
  if (permission.value !== 'granted') return;
  const registration = await navigator.serviceWorker.getRegistration();
  for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
}
