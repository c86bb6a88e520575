import { useSignal } from '@preact/signals';
import type { AuditEvent } from '../api.ts';
import { zone } from '../session.ts';
import { whoOf } from '../tasks/history.tsx';
import { fullTime } from '../words.ts';
import { type Filters, filtersOf, hrefOf } from './trail.ts';

const verbs: Record<string, string> = {
  'task.created': 'made',
  'task.updated': 'changed',
  'task.completed': 'completed',
  'task.deleted': 'deleted',
  'task.reminder.triggered': 'reminded of',
};

/** One event of the trail, which leads to all those of its task; the whole of it on demand. */
export function Entry({ event, filters }: { event: AuditEvent; filters: Filters }) {
  const isOpen = useSignal(false);
  const { event_type: type, task_id: task, timestamp, payload } = event;
  const title = payload.task?.title ?? payload.title ?? 'a task';
  const fields = Object.keys(payload.changes ?? {}).filter((field) => field !== 'updated_at');
  return (
    <li>
      <time dateTime={timestamp} title={timestamp}>
        {fullTime(timestamp, zone.value)}
      </time>
      <p>
        <b>{whoOf(event)}</b> {verbs[type] ?? type} <a href={hrefOf(filtersOf({ history: task }))}>{title}</a>
        {fields.length > 0 && <span class="hint"> {fields.join(', ')}</span>}
      </p>
      <button class="plain small" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        {isOpen.value ? 'Less' : 'More'}
        <span class="for-ears"> of {title}</span>
      </button>
      {isOpen.value && <Whole event={event} filters={filters} />}
    </li>
  );
}

function Whole({ event, filters }: { event: AuditEvent; filters: Filters }) {
  const { event_id: id, event_type: type, user_id: user, correlation_id: request, stored_at: storedAt } = event;
  return (
    <div class="whole">
      <dl>
        <dt>Event</dt>
        <dd>
          {type} <code>{id}</code>
        </dd>
        <dt>Owner</dt>
        <dd>
          <code>{user}</code> {filters.user !== user && <a href={hrefOf({ ...filters, user })}>Only this owner</a>}
        </dd>
        <dt>Request</dt>
        <dd>
          <code>{request}</code>{' '}
          {filters.request !== request && <a href={hrefOf({ ...filters, request })}>Only this request</a>}
        </dd>
        <dt>Written down</dt>
        <dd>
          <time dateTime={storedAt}>{storedAt}</time>
        </dd>
      </dl>
      <pre>{JSON.stringify(event.payload, null, 2)}</pre>
    </div>
  );
}
