import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api.ts';
import type { PageTask, TaskInput } from '../api.ts';
import * as Icon from '../icons.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { hasEvents, zone } from '../session.ts';
import { changes, now, store } from '../state.ts';
import { dueWords, fullTime, offsetWords } from '../words.ts';
import { changesOf, type Draft, draftOf, dueOf, zoneOf } from './draft.ts';
import { History } from './history.tsx';
import { Preview } from './quick-add-line.tsx';
import { canSnooze, hasRung, pauses, snoozeBy } from './reminding.ts';
import { taskHref } from './row.tsx';
import { RuleFields } from './rule-fields.tsx';
import { isSeries } from './views.ts';

/** The task that the address names, beside the list. */
export function Detail() {
  const { query, path, route } = useLocation();
  const { task: id } = query;
  const close = () => {
    route(path);
    document.getElementById(`task-${id}`)?.focus();
  };
  return id ? <Opened key={id} id={id} close={close} /> : null;
}

type Read = { task: PageTask; etag: string };

function Opened({ id, close }: { id: string; close: () => void }) {
  const read = useSignal<Read | null>(null);
  const refusal = useSignal<string | null>(null);
  const listed = store.tasks.value.get(id);
  async function fetchTask(): Promise<void> {
    try {
      read.value = await api.readForEdit(id);
      store.apply(read.value.task);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      refusal.value = error.status === 404 ? 'This task is not there any more.' : error.message;
    }
  }
  useEffect(() => void fetchTask(), [id, listed?.updated_at]);
  const label = read.value?.task.title ?? 'Task';
  return (
    <aside
      class="detail"
      aria-label={label}
      onKeyDown={(event) => event.key === 'Escape' && !isInDialog(event) && close()}
    >
      <header>
        <p class="hint">{read.value ? kindOf(read.value.task) : ''}</p>
        <button class="quiet" onClick={close} title="Close (Esc)">
          <Icon.Close />
          <span class="for-ears">Close the task</span>
        </button>
      </header>
      {refusal.value && <p class="refusal">{refusal.value}</p>}
      {read.value && <Form read={read.value} close={close} again={fetchTask} />}
      {hasEvents.value && (read.value || refusal.value) && <Past id={id} />}
    </aside>
  );
}

const isInDialog = ({ target }: Event): boolean => target instanceof Element && target.closest('dialog') !== null;

const kindOf = (task: PageTask): string =>
  isSeries(task)
    ? 'Series: each date is a task of its own'
    : task.parent_recurring_task_id
      ? 'One date of a series'
      : 'Task';

const offsets = ['PT0S', 'PT5M', 'PT10M', 'PT15M', 'PT30M', 'PT1H', 'PT2H', 'P1D', 'P2D', 'P7D'];

function Form({ read, close, again }: { read: Read; close: () => void; again: () => Promise<void> }) {
  const { task } = read;
  const base = useSignal(read);
  const draft = useSignal<Draft>(draftOf(task, zone.value));
  const refusal = useSignal<string | null>(null);
  const asks = useSignal<'scope' | 'conflict' | null>(null);
  const title = useRef<HTMLInputElement>(null);
  const input = changesOf(draft.value, base.value.task, zone.value);
  const isTouched = Object.keys(input).length > 0;

  // What somebody else changed is shown at once where nothing is being written.
  useEffect(() => {
    if (isTouched) return;
    base.value = read;
    draft.value = draftOf(read.task, zone.value);
  }, [read]);
  useEffect(() => title.current?.focus(), []);

  const set = (part: Partial<Draft>) => {
    draft.value = { ...draft.value, ...part };
    refusal.value = null;
  };

  async function save(scope?: api.Scope, mustMatch = true): Promise<void> {
    asks.value = null;
    try {
      const etag = mustMatch ? { etag: base.value.etag } : {};
      await changes.save(base.value.task, input, { ...(scope && { scope }), ...etag });
      changes.say(scope === 'series' ? 'Saved, with all open dates from now on.' : 'Saved.');
      base.value = await api.readForEdit(task.id);
      draft.value = draftOf(base.value.task, zone.value);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (error.code !== 'VERSION_CONFLICT') return void (refusal.value = error.message);
      await again();
      asks.value = 'conflict';
    }
  }
  function submit(event: Event): void {
    event.preventDefault();
    if (!isTouched) return;
    const isOneOfMany = task.parent_recurring_task_id !== null && input.due_date === undefined;
    if (isOneOfMany) asks.value = 'scope';
    else void save();
  }
  function takeTheirs(): void {
    asks.value = null;
    base.value = read;
    draft.value = draftOf(read.task, zone.value);
  }

  const { value } = draft;
  const due = dueOf(value, zoneOf(task, zone.value));
  const bind = (field: 'title' | 'description' | 'day' | 'time' | 'endDay' | 'catchUp' | 'reminder' | 'priority') => ({
    value: value[field],
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement }) =>
      set({ [field]: currentTarget.value }),
  });
  return (
    <>
      <Acts task={task} close={close} />
      <form
        class="fields"
        onSubmit={submit}
        onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && submit(event)}
      >
        <label>
          Title
          <input ref={title} required {...bind('title')} />
        </label>
        <label>
          Notes
          <textarea rows={3} {...bind('description')} />
        </label>
        {hasEvents.value && (
          <>
            <div class="pair">
              <label>
                {isSeries(task) ? 'From' : 'Due'}
                <input type="date" {...bind('day')} />
              </label>
              <label>
                Time
                <input type="time" disabled={value.day === ''} {...bind('time')} />
              </label>
            </div>
            {task.timezone !== null && task.timezone !== zone.value && (
              <p class="hint small-text">
                Its times are in {task.timezone}; yours are in {zone.value}.
              </p>
            )}
            {task.parent_recurring_task_id ? (
              <p class="small-text">
                <Icon.Repeat /> <a href={taskHref(task.parent_recurring_task_id)}>Change the series</a>
              </p>
            ) : (
              value.day !== '' && (
                <RuleFields pattern={value.pattern} isSeries={isSeries(task)} change={(pattern) => set({ pattern })} />
              )
            )}
            {value.pattern !== null && due && (
              <>
                <Preview
                  input={{
                    recurrence_pattern: value.pattern,
                    due_date: due,
                    recurrence_end_date: value.endDay || null,
                    timezone: zoneOf(task, zone.value),
                  }}
                />
                <div class="pair">
                  <label>
                    Last day
                    <input type="date" min={value.day} {...bind('endDay')} />
                  </label>
                  <label>
                    Missed dates
                    <select {...bind('catchUp')}>
                      <option value="latest">make the newest</option>
                      <option value="all">make all of a week</option>
                      <option value="none">make none</option>
                    </select>
                  </label>
                </div>
              </>
            )}
            <div class="pair">
              <label>
                Reminder
                <select disabled={value.day === ''} {...bind('reminder')}>
                  <option value="">none</option>
                  {[...new Set([...offsets, ...(value.reminder ? [value.reminder] : [])])].map((offset) => (
                    <option key={offset} value={offset}>
                      {offset === 'PT0S' ? 'when it is due' : `${offsetWords(offset)} before`}
                    </option>
                  ))}
                </select>
              </label>
              <label>
                Priority
                <select {...bind('priority')}>
                  <option value="">none</option>
                  {['low', 'medium', 'high', 'urgent'].map((priority) => (
                    <option key={priority}>{priority}</option>
                  ))}
                </select>
              </label>
            </div>
          </>
        )}
        {refusal.value && (
          <p class="refusal" role="alert">
            {refusal.value}
          </p>
        )}
        <div class="ends">
          <button class="primary" disabled={!isTouched}>
            Save <kbd>Ctrl ↵</kbd>
          </button>
        </div>
      </form>
      {asks.value === 'scope' && <AskScope save={save} leave={() => (asks.value = null)} />}
      {asks.value === 'conflict' && (
        <Conflict
          mine={input}
          theirs={read.task}
          keep={() => void save(undefined, false)}
          take={takeTheirs}
          leave={() => (asks.value = null)}
        />
      )}
    </>
  );
}

/** One date of a series may change alone, or with those to come. */
function AskScope({ save, leave }: { save: (scope: api.Scope) => Promise<void>; leave: () => void }) {
  const byKey = ({ key }: KeyboardEvent) => {
    if (key === '1') void save('this');
    if (key === '2') void save('series');
  };
  return (
    <Dialog label="Which dates?" close={leave} onKey={byKey}>
      <h2>Change which dates?</h2>
      <div class="choices">
        <button class="plain" onClick={() => void save('this')}>
          <kbd>1</kbd> Only this one
        </button>
        <button class="plain" onClick={() => void save('series')}>
          <kbd>2</kbd> All open ones from now on
        </button>
      </div>
    </Dialog>
  );
}

function Conflict({
  mine,
  theirs,
  keep,
  take,
  leave,
}: {
  mine: TaskInput;
  theirs: PageTask;
  keep: () => void;
  take: () => void;
  leave: () => void;
}) {
  return (
    <Dialog label="Changed elsewhere" close={leave}>
      <h2>Changed elsewhere at {fullTime(theirs.updated_at, zone.value)}</h2>
      <table class="both">
        <thead>
          <tr>
            <th scope="col">
              <span class="for-ears">Field</span>
            </th>
            <th scope="col">Yours</th>
            <th scope="col">There now</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(mine).map(([field, value]) => (
            <tr key={field}>
              <th scope="row">{field.replaceAll('_', ' ')}</th>
              <td>{String(value ?? 'none')}</td>
              <td>{String(theirs[field as keyof PageTask] ?? 'none')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="choices">
        <button class="primary" onClick={keep}>
          Keep mine
        </button>
        <button class="plain" onClick={take}>
          Take what is there
        </button>
      </div>
    </Dialog>
  );
}

function dueSentence(task: PageTask): string {
  const near = dueWords(task, { now: now.value, zone: zone.value });
  const at = `Due ${fullTime(task.due_date ?? '', zone.value)}`;
  return /^in |late$/.test(near) ? `${at} · ${near}` : at;
}

/** What can be done without the form, and why and when it reminds. */
function Acts({ task, close }: { task: PageTask; close: () => void }) {
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
                : `Reminds ${offset === 'PT0S' ? 'when it is due' : `${offsetWords(offset ?? '')} before it is due`}.`)}
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
            <button key={pause.key} class="plain small" onClick={() => snoozeBy(task, pause)}>
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
            changes.remove(task);
            close();
          }}
        >
          {task.parent_recurring_task_id ? 'Skip this date' : isSeries(task) ? 'Delete the series' : 'Delete'}
        </button>
      </div>
    </div>
  );
}

/** Closed until it is asked for: the trail is another service's. */
function Past({ id }: { id: string }) {
  const isOpen = useSignal(false);
  return (
    <details class="past" onToggle={({ currentTarget }) => (isOpen.value = (currentTarget as HTMLDetailsElement).open)}>
      <summary>History</summary>
      {isOpen.value && <History id={id} />}
    </details>
  );
}
