import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import * as api from '../api.ts';
import { Refusal } from '../parts/refusal.tsx';
import { session, zone } from '../session.ts';
import { changes, store } from '../state.ts';
import { fullTime, offsetWords, span } from '../words.ts';

const verbs: Record<string, string> = {
  'task.created': 'made it',
  'task.updated': 'changed it',
  'task.completed': 'completed it',
  'task.deleted': 'deleted it',
};
const names: Record<string, string> = {
  due_date: 'due',
  recurrence_pattern: 'repeat',
  recurrence_end_date: 'ends',
  reminder_offset: 'reminder',
  reminder_status: 'reminder is',
  snoozed_until: 'snoozed until',
  catch_up: 'missed dates',
};
/** What a person may set back: the rest follows from it. */
const settable = ['title', 'description', 'priority', 'due_date', 'reminder_offset', 'completed'];
const silent = ['due_all_day', 'timezone', 'updated_at'];

/** What happened to a task: who, when, and each value before and after. Newest first. */
export function History({ id }: { id: string }) {
  const events = useSignal<api.AuditEvent[] | null>(null);
  const refusal = useSignal<string | null>(null);
  const version = store.tasks.value.get(id)?.updated_at;
  useEffect(() => {
    let isWanted = true;
    api.history(id).then(
      (answer) => isWanted && (events.value = answer.reverse()),
      (error: unknown) => {
        if (!(error instanceof api.ApiError)) throw error;
        if (isWanted) refusal.value = error.message;
      },
    );
    return () => void (isWanted = false);
  }, [id, version]);
  if (refusal.value) return <Refusal>{refusal.value}</Refusal>;
  if (!events.value) return <p class="hint">Reading …</p>;
  if (events.value.length === 0) return <p class="hint">Nothing is written down yet.</p>;
  return (
    <ol class="history">
      {events.value.map((event) => (
        <li key={event.event_id}>
          <p>
            <b>{whoOf(event)}</b> {wordsOf(event)}
            <time dateTime={event.timestamp}>{fullTime(event.timestamp, zone.value)}</time>
          </p>
          <ul>
            {Object.entries(event.payload.changes ?? {})
              .filter(([field]) => !silent.includes(field))
              .map(([field, { old, new: now }]) => (
                <li key={field}>
                  {names[field] ?? field}: <del>{shown(field, old)}</del> → <ins>{shown(field, now)}</ins>
                  {settable.includes(field) && (
                    <button class="plain small" onClick={() => setBack(id, field, old)}>
                      Set back<span class="for-ears"> {names[field] ?? field}</span>
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

function whoOf({ event_type: type, payload: { actor } }: api.AuditEvent): string {
  if (type === 'task.reminder.triggered') return 'TaskFlow';
  const { value } = session;
  const me = value.is === 'in' ? value.person.id : '';
  if (actor?.type === 'user') return actor.id === me ? 'You' : (actor.name ?? 'Somebody else');
  if (actor?.type === 'token') return `Your token “${actor.name ?? actor.id}”`;
  if (actor?.type === 'operator') return `An operator (${actor.name ?? actor.id})`;
  return 'TaskFlow';
}

function wordsOf({ event_type: type, payload: { late_by_ms: late, late_reason: why } }: api.AuditEvent): string {
  if (type !== 'task.reminder.triggered') return verbs[type] ?? type;
  return `reminded you${late ? `, ${span(late)} late${why ? ` (${why})` : ''}` : ''}`;
}

function shown(field: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (value === true) return 'done';
  if (value === false) return 'open';
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text)) return fullTime(text, zone.value);
  return field === 'reminder_offset' ? offsetWords(text) : text;
}

function setBack(id: string, field: string, value: unknown): void {
  const task = store.tasks.value.get(id) ?? store.get(id);
  if (task) changes.change(task, { [field]: value } as api.TaskInput);
}
