import type { PageTask } from '../api.ts';
import * as Icon from '../icons.tsx';
import { zone } from '../session.ts';
import { changes, nextDateOf, now } from '../state.ts';
import { dueWords, fullTime, reminderWords } from '../words.ts';
import { wordForDelete } from './commands.ts';
import { canSnooze, hasRung, pauses, snoozeBy } from './reminding.ts';
import { removeTasks } from './removing.ts';
import { isSeries } from './views.ts';

function dueSentence(task: PageTask): string {
  if (isSeries(task)) {
    const next = nextDateOf(task.id);
    const from = `From ${fullTime(task.due_date ?? '', zone.value)}`;
    return next ? `${from} · next ${fullTime(next, zone.value)}` : from;
  }
  const near = dueWords(task, { now: now.value, zone: zone.value });
  const at = `Due ${fullTime(task.due_date ?? '', zone.value)}`;
  return /^in |late$/.test(near) ? `${at} · ${near}` : at;
}

/** What can be done without the form, and why and when it reminds. */
export function Acts({ task, close }: { task: PageTask; close: () => void }) {
  const { snoozed_until: snoozed, reminder_status: status, reminder_offset: offset } = task;
  const again = () => {
    if (task.completed) changes.reopen(task);
    else changes.complete(task);
    close();
  };
  return (
    <div class="acts">
      {task.due_date && !task.completed && (
        <p>
          <Icon.Clock /> <span>{dueSentence(task)}</span>
        </p>
      )}
      {status && (
        <p>
          <Icon.Bell />
          <span>
            {status === 'pending' &&
              (snoozed
                ? `Snoozed: reminds again ${fullTime(snoozed, zone.value)}; due stays as it is.`
                : `Reminds ${reminderWords(offset ?? 'PT0S')}.`)}
            {status === 'sent' && 'Has reminded you.'}
            {status === 'acknowledged' && 'Reminded, and seen.'}
            {status === 'cancelled' && 'Will not remind: its time had passed, or it is done.'}
          </span>
        </p>
      )}
      <div class="choices">
        {!isSeries(task) && (
          <button class="plain small" onClick={again}>
            {task.completed ? 'Open again' : 'Complete'}
          </button>
        )}
        {canSnooze(task) &&
          pauses.map((pause) => (
            <button key={pause.key} class="plain small" onClick={() => snoozeBy([task], pause)}>
              Snooze {pause.name}
            </button>
          ))}
        {hasRung(task) && (
          <button class="plain small" onClick={() => changes.acknowledge(task)}>
            Dismiss
          </button>
        )}
        <button
          class="plain small"
          onClick={() => {
            removeTasks([task]);
            close();
          }}
        >
          {wordForDelete([task])}
        </button>
      </div>
    </div>
  );
}
