import type { AnyEvent } from '#shared/events';

/**
 * Whether a row wants to be noticed by its recipient: reminders, and changes that somebody else made. One's own
 * changes, also those by one's API tokens (whose actor id is the person's), and what our services did on one's behalf
 * (instances of one's own series) are born read: they stream and replay, but are never unread (CONTRACT 9).
 */
export function isNotice({ event_type: type, actor }: AnyEvent, recipient: string): boolean {
  if (type === 'task.reminder.triggered' || actor.type === 'operator') return true;
  return actor.type !== 'service' && actor.id !== recipient;
}
