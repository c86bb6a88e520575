import * as Icon from '../icons.tsx';
import type { Item } from '../live/protocol.ts';
import { Heading } from '../parts/heading.tsx';
import { zone } from '../session.ts';
import { store } from '../state.ts';
import { hasRung, pauses, snoozeBy } from '../tasks/reminding.ts';
import { TaskLink } from '../tasks/link.tsx';
import { fullTime } from '../words.ts';
import { markAllRead, markRead, notices, unread } from './notices.ts';
import { noticeWords } from './words.ts';

/** Reminders that came, and what others did to one's tasks. What oneself did is in each task's history. */
export function InboxScreen() {
  const items = notices.value;
  return (
    <>
      <Heading name="Inbox">{unread.value > 0 ? `${unread.value} unread` : ''}</Heading>
      {unread.value > 0 && (
        <button class="plain small above" onClick={doneAt(() => void markAllRead())}>
          Mark all read
        </button>
      )}
      {items === null && <p class="hint">Reading …</p>}
      {items?.length === 0 && (
        <div class="empty">
          <p>Nothing here yet. Reminders come here, and what others do to your tasks.</p>
        </div>
      )}
      <ul class="inbox">
        {items?.map((item) => (
          <Notice key={item.id} item={item} />
        ))}
      </ul>
    </>
  );
}

function Notice({ item }: { item: Item }) {
  const { event, read_at: readAt, created_at: at } = item;
  const title = event.title ?? event.task?.title ?? 'A task';
  const task = store.tasks.value.get(event.task_id);
  return (
    <li class={readAt ? '' : 'is-unread'}>
      <Icon.Bell />
      <div>
        <p>
          {!readAt && <span class="for-ears">Unread: </span>}
          <TaskLink id={event.task_id} onOpen={() => void markRead(item)}>
            {title}
          </TaskLink>
        </p>
        <p class="hint">
          {noticeWords(item, zone.value)} · <time dateTime={at}>{fullTime(at, zone.value)}</time>
        </p>
      </div>
      <div class="choices">
        {task && hasRung(task) && event.event_type === 'task.reminder.triggered' && pauses[0] && (
          <button class="plain small" onClick={doneAt(() => pauses[0] && snoozeBy([task], pauses[0]))}>
            Snooze 10 min
          </button>
        )}
        {!readAt && (
          <button class="plain small" aria-label={`Mark read: ${title}`} onClick={doneAt(() => void markRead(item))}>
            Mark read
          </button>
        )}
      </div>
    </li>
  );
}

/** What a button does that is gone then: the focus goes to the name beside it, or to the list. */
const doneAt =
  (act: () => void) =>
  ({ currentTarget }: { currentTarget: HTMLElement }): void => {
    const name = currentTarget.closest('li')?.querySelector('a') ?? document.getElementById('content');
    name?.focus();
    act();
  };
