import type { Item } from '../live/protocol.ts';
import { fullTime, offsetWords, span } from '../words.ts';

const verbs: Record<string, string> = {
  'task.created': 'made by',
  'task.updated': 'changed by',
  'task.completed': 'completed by',
  'task.deleted': 'deleted by',
};

/** What happened, beside the time at which it did. */
export function noticeWords({ event, created_at: at }: Pick<Item, 'event' | 'created_at'>, zone: string): string {
  const {
    event_type: type,
    offset_triggered: offset,
    due_date: due,
    late_by_ms: late,
    late_reason: why,
    actor,
  } = event;
  if (type !== 'task.reminder.triggered') return `${verbs[type] ?? type} ${actor?.name ?? actor?.type ?? 'somebody'}`;
  const reason = !offset
    ? 'snoozed until then'
    : offset === 'PT0S'
      ? 'it was due'
      : `${offsetWords(offset)} before it was due`;
  const dueAt = due ? fullTime(due, zone) : '';
  const lateness = late ? `, ${span(late)} late${why ? ` (${why})` : ''}` : '';
  return `Reminder: ${reason}${dueAt && dueAt !== fullTime(at, zone) ? `, ${dueAt}` : ''}${lateness}`;
}
