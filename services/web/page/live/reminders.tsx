import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { PageTask } from '../api.ts';
import * as Icon from '../icons.tsx';
import { handOn } from '../parts/hand-on.ts';
import { zone } from '../session.ts';
import { ask, permission } from './outside.ts';
import { changes, now, store } from '../state.ts';
import { hasRung, pauses, snoozeBy } from '../tasks/reminding.ts';
import { TaskLink } from '../tasks/link.tsx';
import { dueMs } from '../tasks/views.ts';
import { count, dueWords, reminderWords } from '../words.ts';

const SHOWN = 2;
/** Where cards would take half of the screen they are folded into one line. */
const PHONE = '(max-width: 46rem)';

/** Reminders that have come and wait for a word: the newest first. They stand wherever one is, until they are answered. */
export function Reminders() {
  const rung = rungTasks();
  return (
    <>
      <p class="for-ears" role="status">
        {rung[0] && `Reminder: ${rung[0].title}`}
      </p>
      {rung.length > 0 && <Cards rung={rung} />}
    </>
  );
}

function Cards({ rung }: { rung: PageTask[] }) {
  const isOpen = useSignal(false);
  const isSmall = matchMedia(PHONE).matches;
  const shown = isOpen.value ? rung : rung.slice(0, isSmall ? 0 : SHOWN);
  return (
    <section class="reminders" aria-label="Reminders">
      {isSmall && (
        <button class="plain folded" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          <Icon.Bell />
          <span>
            {count(rung.length, 'reminder')} · {rung[0]?.title}
          </span>
        </button>
      )}
      {shown.map((task) => (
        <Reminder key={task.id} task={task} />
      ))}
      {!isSmall && rung.length > shown.length && (
        <button class="plain small" onClick={() => (isOpen.value = true)}>
          {count(rung.length - shown.length, 'more reminder')}
        </button>
      )}
      {permission.value === 'default' && (!isSmall || isOpen.value) && (
        <p class="hint small-text">
          They can also come while this tab is hidden.{' '}
          <button class="plain small" onClick={() => void ask()}>
            Allow notifications
          </button>
        </p>
      )}
    </section>
  );
}

/** To the next one's name, where Enter does nothing to it. */
function leave(card: HTMLElement | null): void {
  if (!card?.contains(document.activeElement)) return;
  const cards = [card.nextElementSibling, card.previousElementSibling];
  handOn(cards.find((one) => one?.matches('.reminder'))?.querySelector('a'));
}

export const rungTasks = (): PageTask[] =>
  [...store.tasks.value.values()].filter(hasRung).sort((a, b) => dueMs(b) - dueMs(a));

function Reminder({ task }: { task: PageTask }) {
  const ref = useRef<HTMLElement>(null);
  useLayoutEffect(() => () => leave(ref.current), []);
  const { title, id, reminder_offset: offset } = task;
  const near = dueWords(task, { now: now.value, zone: zone.value });
  const words = [
    /late$/.test(near) ? near : `due ${near}`,
    offset && offset !== 'PT0S' && `reminder ${reminderWords(offset)}`,
  ];
  return (
    <article ref={ref} class="reminder" aria-label={`Reminder: ${title}`}>
      <Icon.Bell />
      <p>
        <TaskLink id={id}>{title}</TaskLink>
        <span> {words.filter(Boolean).join(' · ')}</span>
      </p>
      <div class="choices">
        <button class="plain small" onClick={() => changes.complete(task)}>
          Done
        </button>
        {pauses.map((pause) => (
          <button
            key={pause.key}
            class="plain small"
            title={`Remind again (s ${pause.key})`}
            onClick={() => snoozeBy([task], pause)}
          >
            Snooze {pause.name}
          </button>
        ))}
        <button class="plain small" onClick={() => changes.acknowledge(task)}>
          Dismiss
        </button>
      </div>
    </article>
  );
}
