import { Component } from 'preact';
import type { PageTask } from '../api.ts';
import * as Icon from '../icons.tsx';
import { nextDateOf } from '../state.ts';
import { dueWords, fullTime, reminderWords, timeWords } from '../words.ts';
import { TaskLink } from './link.tsx';
import { patternWords } from './rule.ts';
import { isComing, isOverdue, isSeries } from './views.ts';

export type RowProps = {
  task: PageTask;
  isCurrent: boolean;
  isPending: boolean;
  /** Whether tasks are picked to be acted on together, and whether this one is. */
  isPicking: boolean;
  isPicked: boolean;
  /** Whether its time is when it was done, not when it is due. */
  isOfDone: boolean;
  now: number;
  zone: string;
  on: RowActions;
};

export type RowActions = {
  focus(id: string): void;
  toggle(task: PageTask): void;
  /** `isSpan`: with all from the current row to it. */
  pick(task: PageTask, isSpan: boolean): void;
  more(task: PageTask, at: HTMLElement): void;
};

/** One task of a list. Drawn again only when what it shows has changed: a list may have thousands. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return (Object.keys(next) as (keyof RowProps)[]).some((name) => next[name] !== this.props[name]);
  }

  override render({ task, isCurrent, isPending, isPicking, isPicked, isOfDone, now, zone, on }: RowProps) {
    const { id, title, completed } = task;
    const verb = isPicking ? 'Select' : completed ? 'Open again' : 'Complete';
    function clicked(event: MouseEvent): void {
      const isOnLink = event.target instanceof Element && event.target.closest('a') !== null;
      const isOne = (event.ctrlKey || event.metaKey) && !isOnLink; // a link opens a tab of its own
      if (!event.shiftKey && !isOne) return;
      event.preventDefault();
      on.pick(task, event.shiftKey);
    }
    return (
      <li
        id={rowId(id)}
        class={`row${completed ? ' is-done' : ''}${isPicked ? ' is-picked' : ''}`}
        tabIndex={isCurrent ? 0 : -1}
        onFocus={() => on.focus(id)}
        onMouseDown={(event) => event.shiftKey && event.preventDefault()} // it would mark text
        onClick={clicked}
      >
        <label class={`check${isPicking ? ' is-pick' : isSeries(task) || isComing(task) ? ' is-nothing' : ''}`}>
          <input
            type="checkbox"
            tabIndex={-1}
            checked={isPicking ? isPicked : completed}
            aria-label={`${verb}: ${title}`}
            onChange={() => (isPicking ? on.pick(task, false) : on.toggle(task))}
          />
        </label>
        {isComing(task) ? (
          <span class="row-title">{title}</span>
        ) : (
          <TaskLink id={id} class="row-title" tabIndex={-1}>
            {title}
          </TaskLink>
        )}
        <span class="facts">
          {isPending && (
            <span class="fact" title="Not answered by the server yet">
              <Icon.Wait />
              <span class="for-ears">not saved yet</span>
            </span>
          )}
          <Priority task={task} />
          <Reminder task={task} now={now} zone={zone} />
          {(task.parent_recurring_task_id ?? task.recurrence_pattern) && (
            <span class="fact" title="Repeats">
              <Icon.Repeat />
              <span class="for-ears">repeats</span>
            </span>
          )}
          {isOfDone ? <Done task={task} now={now} zone={zone} /> : <Due task={task} now={now} zone={zone} />}
        </span>
        <button
          class="quiet row-more"
          tabIndex={-1}
          aria-haspopup="menu"
          title="More"
          onClick={({ currentTarget }) => on.more(task, currentTarget)}
        >
          <Icon.More />
          <span class="for-ears">More: {title}</span>
        </button>
      </li>
    );
  }
}

export const rowId = (id: string): string => `task-${id}`;

function Due({ task, now, zone }: { task: PageTask; now: number; zone: string }) {
  const { due_date: due, completed, recurrence_pattern: pattern } = task;
  if (pattern !== null) return <Recurs task={task} pattern={pattern} zone={zone} />;
  if (due === null) return null;
  const isLate = !completed && isOverdue(task, { now, zone });
  return (
    <time class={`fact due${isLate ? ' is-late' : ''}`} dateTime={due} title={fullTime(due, zone)}>
      {dueWords(task, { now, zone })}
    </time>
  );
}

/** The API has no time of completion; that of the last change is the same, unless a task was changed when it was done. */
function Done({ task: { updated_at: at }, now, zone }: { task: PageTask; now: number; zone: string }) {
  return (
    <time class="fact due" dateTime={at} title={`Last changed ${fullTime(at, zone)}`}>
      <span class="for-ears">done </span>
      {timeWords(Date.parse(at), { now, zone })}
    </time>
  );
}

/** The rule of a series and its next date. Reads that itself: it changes with another task than the row's. */
function Recurs({ task: { id, due_date: due }, pattern, zone }: { task: PageTask; pattern: string; zone: string }) {
  const next = nextDateOf(id);
  const at = next ?? due;
  return (
    <>
      <span class="fact">{patternWords(pattern)}</span>
      {at && (
        <time class="fact due" dateTime={at}>
          {next ? 'next' : 'from'} {fullTime(at, zone)}
        </time>
      )}
    </>
  );
}

/** By word and shape: colour alone tells nothing to some. */
function Priority({ task: { priority } }: { task: PageTask }) {
  if (priority === null) return null;
  return (
    <span class={`fact priority is-${priority}`}>
      <Icon.Flag />
      {priority}
    </span>
  );
}

function Reminder({ task, now, zone }: { task: PageTask; now: number; zone: string }) {
  const { reminder_status: status, reminder_offset: offset, snoozed_until: snoozed } = task;
  if (status !== 'pending' && status !== 'sent') return null;
  if (status === 'pending' && snoozed)
    return (
      <span class="fact" title={`Snoozed: due stays as it is. Reminds again ${fullTime(snoozed, zone)}`}>
        <Icon.Ring /> reminds again {timeWords(Date.parse(snoozed), { now, zone })}
      </span>
    );
  const words = status === 'sent' ? 'Has reminded' : `Reminds ${reminderWords(offset ?? 'PT0S')}`;
  return (
    <span class={`fact${status === 'sent' ? ' is-rung' : ''}`} title={words}>
      <Icon.Bell />
      <span class="for-ears">{words}</span>
    </span>
  );
}
