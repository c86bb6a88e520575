import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, type NextReminder, nextReminders } from '../api.ts';
import { useLater } from '../live/later.ts';
import { Heading } from '../parts/heading.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { zone } from '../session.ts';
import { now, stream } from '../state.ts';
import { fullTime, span } from '../words.ts';
import { TaskLink } from './link.tsx';

/** What rings next, when, and why. */
export default function NextScreen() {
  const next = useSignal<NextReminder[] | null>(null);
  const refusal = useSignal<string | null>(null);
  async function read(): Promise<void> {
    try {
      [next.value, refusal.value] = [await nextReminders(), null];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refusal.value = error.message;
    }
  }
  useEffect(() => void read(), [now.value, stream.value.is === 'live']);
  useLater(read);
  return (
    <>
      <Heading name="Reminders">What rings next, and why</Heading>
      <Refusal>{refusal.value}</Refusal>
      {next.value === null && !refusal.value && <p class="hint">Reading …</p>}
      {next.value?.length === 0 && (
        <div class="empty">
          <p>Nothing will ring. A task with a date can: “Call the bank tomorrow 9am ^15m”.</p>
        </div>
      )}
      <ol class="next">
        {next.value?.map((reminder) => (
          <Next key={reminder.task_id} {...reminder} />
        ))}
      </ol>
    </>
  );
}

function Next({ task_id: id, title, trigger_at: at, due_date: due, why }: NextReminder) {
  const away = Date.parse(at) - now.value;
  return (
    <li>
      <time dateTime={at}>
        {fullTime(at, zone.value)}
        <span class="hint">{away > 0 ? `in ${span(away)}` : 'now'}</span>
      </time>
      <p>
        <TaskLink id={id}>{title}</TaskLink>
        <span class="hint">
          {why}
          {due && ` Due ${fullTime(due, zone.value)}.`}
        </span>
      </p>
    </li>
  );
}
