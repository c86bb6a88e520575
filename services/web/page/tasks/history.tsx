import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import * as api from '../api.ts';
import { labels } from '../fields.ts';
import { useLater } from '../live/later.ts';
import { asking } from '../parts/asking.ts';
import { Refusal } from '../parts/refusal.tsx';
import { session, zone } from '../session.ts';
import { changes, readings, store } from '../state.ts';
import { fullTime, span } from '../words.ts';
import { shown } from './shown.ts';
import { isSeries } from './views.ts';

const verbs: Record<string, string> = {
  'task.created': 'made it',
  'task.updated': 'changed it',
  'task.completed': 'completed it',
  'task.deleted': 'deleted it',
};
/** What a person may set back: the rest follows from it. */
const settable = ['title', 'description', 'priority', 'due_date', 'reminder_offset', 'completed'];
const silent = ['due_all_day', 'timezone', 'updated_at'];

/** A series is not due: it starts. */
const nameOf = (field: string, isRule: boolean): string =>
  isRule && field === 'due_date' ? 'starts' : (labels.get(field)?.toLowerCase() ?? field);

/** What happened to a task: who, when, and each value before and after. Newest first. */
export function History({ id }: { id: string }) {
  const events = useSignal<api.AuditEvent[] | null>(null);
  const refusal = useSignal<string | null>(null);
  const readAgain = useSignal(0);
  const task = store.tasks.value.get(id);
  const version = task?.updated_at;
  const isRule = task !== undefined && isSeries(task);
  useEffect(() => {
    const take = (answer: api.AuditEvent[]) => void ([events.value, refusal.value] = [answer.reverse(), null]);
    return asking(
      () => api.history(id),
      take,
      ({ message }) => (refusal.value = message),
    );
  }, [id, version, readings.value, readAgain.value]);
  useLater(
    () => readAgain.value++,
    ({ event }) => event.task_id === id,
  );
  if (refusal.value) return <Refusal>{refusal.value}</Refusal>;
  if (!events.value) return <p class="hint">Reading …</p>;
  if (events.value.length === 0) return <p class="hint">Nothing is written down yet.</p>;
  return (
    <ol class="history">
      {events.value.map((event) => (
        <li key={event.event_id}>
          <p>
            {isFromSeries(event) ? (
              <b>Made from its series</b>
            ) : (
              <>
                <b>{whoOf(event)}</b> {wordsOf(event)}
              </>
            )}
            <time dateTime={event.timestamp}>{fullTime(event.timestamp, zone.value)}</time>
          </p>
          <ul>
            {Object.entries(event.payload.changes ?? {})
              .filter(([field]) => !silent.includes(field))
              .map(([field, { old, new: now }]) => (
                <li key={field}>
                  {nameOf(field, isRule)}: <del>{shown(field, old)}</del> → <ins>{shown(field, now)}</ins>
                  {settable.includes(field) && (
                    <button class="plain small" onClick={() => setBack(id, field, old)}>
                      Set back<span class="for-ears"> {nameOf(field, isRule)}</span>
                    </button>
                  )}
                </li>
              ))}
          </ul>
        </li>
      ))}
    </ol>
  );
}

/** Who it was, as whoever looks calls him. */
export function whoOf({ event_type: type, user_id: owner, payload: { actor } }: api.AuditEvent): string {
  if (type === 'task.reminder.triggered') return 'TaskFlow';
  const { value } = session;
  const me = value.is === 'in' ? value.person.id : '';
  if (actor?.type === 'user')
    return actor.id === me ? 'You' : (actor.name ?? (actor.id === owner ? 'Its owner' : 'Somebody else'));
  if (actor?.type === 'token') return `${owner === me ? 'Your' : 'A'} token “${actor.name ?? actor.id}”`;
  if (actor?.type === 'operator') return `An operator (${actor.name ?? actor.id})`;
  return 'TaskFlow';
}

/** A date of a series, which nobody made by himself, whoever made the series. */
const isFromSeries = ({ event_type: type, payload: { task } }: api.AuditEvent): boolean =>
  type === 'task.created' && !!task?.parent_recurring_task_id;

function wordsOf({ event_type: type, payload: { late_by_ms: late, late_reason: why } }: api.AuditEvent): string {
  if (type !== 'task.reminder.triggered') return verbs[type] ?? type;
  return `reminded you${late ? `, ${span(late)} late${why ? ` (${why})` : ''}` : ''}`;
}

function setBack(id: string, field: string, value: unknown): void {
  const task = store.tasks.value.get(id) ?? store.get(id);
  if (task) changes.change(task, { [field]: value } as api.TaskInput);
}
