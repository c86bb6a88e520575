import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import * as api from '../api.ts';
import type { PageTask, TaskInput } from '../api.ts';
import { clockNote, dayOf } from '../days.ts';
import * as Icon from '../icons.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { hasEvents, zone } from '../session.ts';
import { changes, now } from '../state.ts';
import { reminderWords } from '../words.ts';
import { saveRest, saveTimeOfSeries } from './all-dates.ts';
import { AskLeave, AskScope, Conflict } from './ask.tsx';
import { changesOf, clashesOf, type Draft, draftOf, dueOf, earlierOf, problemOf, rebased, zoneOf } from './draft.ts';
import { useExceptions } from './exceptions.ts';
import { Preview } from './quick-add-line.tsx';
import { TaskLink } from './link.tsx';
import { isAsNew } from './merge.ts';
import { NO_RULE } from './rule.ts';
import { RuleFields } from './rule-fields.tsx';
import { catchUps } from './shown.ts';
import { isUnsaved } from './unsaved.ts';
import { isSeries } from './views.ts';

/** A task as the server has it, and what a change of it must match. */
export type Read = { task: PageTask; etag: string };

const offsets = ['PT0S', 'PT5M', 'PT10M', 'PT15M', 'PT30M', 'PT1H', 'PT2H', 'P1D', 'P2D', 'P7D'];

/** Fields that a refusal stands at. */
const placed = ['title', 'description', 'due_date', 'recurrence_pattern'];

type FormProps = {
  read: Read;
  /** Reads it anew; null: it is gone. */
  again: () => Promise<Read | null>;
  /** The address names another task or none; what is not saved is asked about. */
  isLeft: boolean;
  stay: () => void;
  /** Of a task that is not made yet: what was said of it, and why it was refused. */
  begun?: { input: TaskInput; refusal?: api.ApiError };
  /** Makes it. */
  make?: (input: TaskInput) => void;
};

/** All of a task that a person may write. Saving sends what was touched, and nothing else. */
export function Form({ read, again, isLeft, stay, begun, make }: FormProps) {
  const { task } = read;
  const base = useSignal(read);
  const draft = useSignal<Draft>(draftOf({ ...task, ...begun?.input }, zone.value));
  const refusal = useSignal<api.ApiError | null>(begun?.refusal ?? null);
  const asks = useSignal<'scope' | 'conflict' | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const title = useRef<HTMLInputElement>(null);
  /** Which dates were meant when somebody turned out to be faster. */
  const wanted = useRef<api.Scope | undefined>(undefined);
  const { value } = draft;
  const input = changesOf(value, base.value.task, zone.value);
  const isTouched = Object.keys(input).length > 0;
  const isRuleKept = !['recurrence_pattern', 'due_date', 'recurrence_end_date'].some((field) => field in input);
  const exceptionOf = useExceptions(isSeries(task) ? task : null);
  // Known before the next key, not with the next frame.
  useLayoutEffect(() => {
    isUnsaved.value = isTouched;
    return () => void (isUnsaved.value = false);
  }, [isTouched]);
  useLayoutEffect(() => {
    if (!isTouched) return;
    const ask = (event: Event) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isTouched]);

  // What somebody else changed is shown at once where nothing is being written, or as soon as nothing is any more.
  useLayoutEffect(() => {
    if (isTouched || read === base.value || !isAsNew(read.task, base.value.task)) return;
    base.value = read;
    draft.value = draftOf(read.task, zone.value);
  }, [read, isTouched]);
  useLayoutEffect(() => {
    if (begun && !isTouched) draft.value = draftOf({ ...read.task, ...begun.input }, zone.value);
  }, [begun]);
  // By touch it would bring up the keyboard over what one wants to read.
  useLayoutEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) title.current?.focus();
  }, []);

  const set = (part: Partial<Draft>) => {
    draft.value = { ...draft.value, ...part };
    refusal.value = null;
  };

  /** What repeats does so from a day on. */
  const repeat = (pattern: string | null) =>
    set({ pattern, ...(pattern !== null && value.day === '' && { day: dayOf(now.value, zone.value) }) });

  async function save(scope?: api.Scope, etag = base.value.etag): Promise<void> {
    asks.value = null;
    if (make) return make(input);
    const before = base.value.task;
    try {
      if (scope === 'series' && input.due_date !== undefined) await saveTimeOfSeries(task, input, value.time);
      else await changes.save(before, input, { ...(scope && { scope }), etag });
      if (scope === 'series') await saveRest(task, input, value);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (error.code !== 'VERSION_CONFLICT') return void (refusal.value = error);
      const theirs = await again();
      if (theirs && clashesOf(input, before, theirs.task).length === 0) return save(scope, theirs.etag);
      wanted.current = scope;
      asks.value = 'conflict';
      return;
    }
    // Saved it is, also if nobody says now what came of it; what is changed next meets the version then.
    const kept = await api.readForEdit(task.id).catch(() => null);
    base.value = kept ?? { task: { ...before, ...input } as PageTask, etag };
    draft.value = rebased(draft.value, value, draftOf(base.value.task, zone.value));
    const earlier = earlierOf(input, before);
    if (scope === 'series') changes.say('Saved, with all open dates.');
    else if (earlier && kept) changes.saved(before, earlier, kept.etag);
    else changes.say('Saved.');
  }
  function submit(event?: Event): void {
    event?.preventDefault();
    if (!isTouched) return;
    const half = [...(form.current?.elements ?? [])].find(isHalfTyped);
    const problem = half ? { field: null, text: 'A date, time or number is not complete.' } : problemOf(value);
    if (problem) {
      refusal.value = new api.ApiError(400, 'INCOMPLETE', problem.text, null, null, problem.field);
      (half ?? form.current?.querySelector<HTMLElement>(`[name=${problem.field}]`))?.focus();
      return;
    }
    const { day } = draftOf(base.value.task, zone.value);
    // Another day is that of one date; its time may be that of all.
    const isOneOfMany = task.parent_recurring_task_id !== null && draft.value.day === day;
    if (isOneOfMany) asks.value = 'scope';
    else void save();
  }
  /** What was typed is given up for what the server has. */
  function reset(): void {
    asks.value = null;
    base.value = read;
    draft.value = draftOf(read.task, zone.value);
  }

  /** A refusal stands at its field; one of none, or of a field that is not there, at the end. */
  const refused = (...fields: string[]) => {
    const error = refusal.value;
    if (!error || (fields.length > 0 ? !fields.includes(error.field ?? '') : placed.includes(error.field ?? '')))
      return;
    return <Refusal>{error.message}</Refusal>;
  };

  const due = dueOf(value, zoneOf(task, zone.value));
  const isTime = value.day !== '' && value.time !== '' && value.pattern === null;
  const note = isTime ? clockNote(value.day, value.time, zoneOf(task, zone.value)) : null;
  const bind = (field: 'title' | 'description' | 'day' | 'time' | 'endDay' | 'catchUp' | 'reminder' | 'priority') => ({
    value: value[field],
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement }) =>
      set({ [field]: currentTarget.value }),
  });
  return (
    <>
      <form
        ref={form}
        noValidate
        class="fields"
        onSubmit={submit}
        onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && submit(event)}
      >
        <label>
          Title
          <input ref={title} aria-required="true" name="title" {...bind('title')} />
        </label>
        {refused('title')}
        <label>
          Notes
          <textarea rows={3} {...bind('description')} />
        </label>
        {refused('description')}
        {hasEvents.value && (
          <>
            <div class="pair">
              <label>
                {isSeries(task) ? 'From' : 'Due'}
                <input type="date" name="due_date" {...bind('day')} />
              </label>
              <label>
                Time
                <input type="time" disabled={value.day === ''} {...bind('time')} />
              </label>
            </div>
            {refused('due_date')}
            {note && <p class="note">{note}</p>}
            {task.timezone !== null && task.timezone !== zone.value && (
              <p class="hint small-text">
                Its times are in {task.timezone}; yours are in {zone.value}.
              </p>
            )}
            {task.parent_recurring_task_id ? (
              <p class="small-text">
                <Icon.Repeat /> <TaskLink id={task.parent_recurring_task_id}>Change the series</TaskLink>
              </p>
            ) : (
              <RuleFields pattern={value.pattern} firstDay={value.day} isSeries={isSeries(task)} change={repeat} />
            )}
            {refused('recurrence_pattern')}
            {value.pattern !== null && value.pattern !== NO_RULE && due && (
              <>
                <Preview
                  dates={10}
                  exceptionOf={isRuleKept ? exceptionOf : undefined}
                  input={{
                    recurrence_pattern: value.pattern,
                    due_date: due,
                    recurrence_end_date: value.endDay || null,
                    timezone: zoneOf(task, zone.value),
                  }}
                />
                <label>
                  Last day
                  <input type="date" min={value.day} {...bind('endDay')} />
                </label>
                <label>
                  Dates missed while away
                  <select {...bind('catchUp')}>
                    {Object.entries(catchUps).map(([value, words]) => (
                      <option key={value} value={value}>
                        {words}
                      </option>
                    ))}
                  </select>
                </label>
              </>
            )}
            <div class="pair">
              <label>
                Reminder
                <select disabled={value.day === ''} {...bind('reminder')}>
                  <option value="">none</option>
                  {[...new Set([...offsets, ...(value.reminder ? [value.reminder] : [])])].map((offset) => (
                    <option key={offset} value={offset}>
                      {reminderWords(offset)}
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
        {refused()}
        <div class="ends">
          <button class="primary" disabled={!isTouched || value.pattern === NO_RULE}>
            {make ? 'Add' : 'Save'} <kbd>Ctrl ↵</kbd>
          </button>
        </div>
      </form>
      {isLeft && isTouched && asks.value === null && (
        <AskLeave
          title={task.title || value.title || 'New task'}
          refusal={refusal.value?.message ?? null}
          save={submit}
          drop={reset}
          stay={stay}
        />
      )}
      {asks.value === 'scope' && <AskScope save={save} leave={() => (asks.value = null)} />}
      {asks.value === 'conflict' && (
        <Conflict
          mine={input}
          fields={clashesOf(input, base.value.task, read.task)}
          theirs={read.task}
          keep={() => void save(wanted.current, read.etag)}
          take={reset}
          leave={() => (asks.value = null)}
        />
      )}
    </>
  );
}

/** What is typed of a date so far is no value: it would be taken as none. */
const isHalfTyped = (field: Element): field is HTMLInputElement =>
  field instanceof HTMLInputElement && field.validity.badInput;
