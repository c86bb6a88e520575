import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLocation } from 'preact-iso';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import type { Dates } from '#shared/answers';
import { ApiError, previewDates, type TaskInput } from '../api.ts';
import { dayOf } from '../days.ts';
import * as Icon from '../icons.tsx';
import { useCommands } from '../parts/commands.ts';
import { Refusal } from '../parts/refusal.tsx';
import { hasEvents, zone } from '../session.ts';
import { changes, now } from '../state.ts';
import { fullTime, reminderWords } from '../words.ts';
import { begun, NEW } from './begun.ts';
import { keepLine, keptLine } from './kept-line.ts';
import { taskHref } from './link.tsx';
import type { Exception, Occurrence } from './series.ts';
import { type Kind, type Part, readLine, type Understood } from './quick-add.ts';
import { isUnsaved } from './unsaved.ts';

const PREVIEW_MS = 200;
const nothing = { parts: [], note: null, doubts: [] };
const icons = {
  repeat: Icon.Repeat,
  until: Icon.Repeat,
  reminder: Icon.Bell,
  priority: Icon.Flag,
  date: Icon.Today,
  time: Icon.Clock,
} satisfies Record<Kind, unknown>;

/** One line that says a whole task. What was understood stands below it, each part to be taken back; Enter saves just that. */
export function QuickAdd({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const line = useSignal(useMemo(keptLine, []));
  useLayoutEffect(() => keepLine(line.value), [line.value]);
  const ignored = useSignal<ReadonlySet<string>>(new Set());
  const refusal = useSignal<string | null>(null);
  const moment = { now: now.value, zone: zone.value };
  const understood = hasEvents.value
    ? readLine(line.value, moment, ignored.value)
    : { ...nothing, input: { title: line.value.trim() }, problem: line.value.trim() ? null : 'What is to be done?' };
  const isEmpty = line.value.trim() === '';
  const { route } = useLocation();
  useCommands(() => [{ name: 'Add a task in a form', act: goOnInForm }]);

  function submit(event: Event): void {
    event.preventDefault();
    if (isEmpty) return;
    if (understood.problem) {
      refusal.value = understood.problem;
      return;
    }
    const { value: text } = line;
    changes.create(understood.input, (error) => {
      if (line.value !== '') return false; // the next one is being written
      line.value = text;
      refusal.value = error.message;
      return true;
    });
    clear();
  }
  function goOnInForm(): void {
    if (isUnsaved.value) return void (refusal.value = 'The open task is not saved yet: save it or close it first.');
    begun.value = { input: understood.input };
    clear();
    route(taskHref(NEW));
  }
  function clear(): void {
    line.value = '';
    ignored.value = new Set();
    refusal.value = null;
  }
  function typed(event: Event): void {
    line.value = (event.currentTarget as HTMLInputElement).value;
    refusal.value = null;
  }
  function left(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    if (isEmpty) input.current?.blur();
    else clear();
  }
  function takeBack(part: Part): void {
    ignored.value = new Set([...ignored.value, part.text]);
    input.current?.focus();
  }

  return (
    <form class="quick-add" onSubmit={submit}>
      <div class="line">
        <Icon.Plus />
        <input
          ref={input}
          value={line.value}
          onInput={typed}
          onKeyDown={left}
          aria-label="Add a task"
          aria-describedby="quick-add-said"
          placeholder="Add a task"
          autocomplete="off"
          enterkeyhint="done"
        />
        <kbd aria-hidden="true">q</kbd>
        {!isEmpty && <button class="primary">Add</button>}
        <button type="button" class="plain small" title="Goes on in a form with all fields" onClick={goOnInForm}>
          Details
        </button>
      </div>
      <div id="quick-add-said" class="said" aria-live="polite">
        {!isEmpty && understood.parts.length > 0 && <Chips understood={understood} takeBack={takeBack} />}
        {understood.input.recurrence_pattern ? (
          <Preview input={understood.input} />
        ) : (
          understood.note && <p class="note">{understood.note}</p>
        )}
        {understood.doubts.map((doubt) => (
          <p key={doubt} class="note">
            “{doubt}” was not understood, and stays in the title.
          </p>
        ))}
      </div>
      <Refusal>{refusal.value}</Refusal>
    </form>
  );
}

function Chips({ understood, takeBack }: { understood: Understood; takeBack: (part: Part) => void }) {
  return (
    <ul class="chips" aria-label="Understood">
      {understood.parts.map((part) => {
        const Drawn = icons[part.kind];
        return (
          <li key={part.kind} class={`chip is-${part.kind}`}>
            <Drawn />
            {chipWords(part, understood)}
            <button type="button" class="quiet" onClick={() => takeBack(part)} title="Leave it in the title">
              <Icon.Close />
              <span class="for-ears">Leave “{part.text}” in the title</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** What a part means, not what was typed: that is where a misunderstanding shows. */
function chipWords({ kind, text }: Part, { parts, input }: Understood): string {
  const { due_date: due, reminder_offset: offset, recurrence_end_date: end } = input;
  switch (kind) {
    case 'date':
      return due ? fullTime(due, zone.value) : text;
    case 'time':
      return due ? timeWords(due, parts) : text;
    case 'reminder':
      return offset ? `reminds ${reminderWords(offset)}` : text;
    case 'until':
      return end ? `until ${fullTime(end, zone.value)}` : text;
    default:
      return text.replace(/^!/, '');
  }
}

/** With its day where the line names none: a time that has passed is tomorrow's. */
function timeWords(due: string, parts: Part[]): string {
  const words = fullTime(due, zone.value);
  return parts.some(({ kind }) => kind === 'date' || kind === 'repeat') ? (words.split(', ')[1] ?? words) : words;
}

type PreviewProps = {
  input: TaskInput;
  dates?: number;
  /** What became of a date since the rule was made. */
  exceptionOf?: ((date: Occurrence) => Exception | null) | undefined;
};

/** The rule in words and its next dates, with what the clocks do to them, asked of the server once the typing rests. */
export function Preview({ input, dates: limit = 3, exceptionOf }: PreviewProps) {
  const dates = useSignal<Dates | null>(null);
  const refusal = useSignal<string | null>(null);
  const { recurrence_pattern, due_date, recurrence_end_date, timezone } = input;
  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(async () => {
      const rule = {
        recurrence_pattern,
        due_date,
        ...(recurrence_end_date && { recurrence_end_date }),
        ...(timezone && { timezone }),
        from: dayOf(now.value, timezone ?? zone.value), // of a series the next ones
      } as TaskInput & { from: string };
      try {
        const answer = await previewDates(rule, limit);
        if (isWanted) [dates.value, refusal.value] = [answer, null];
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (isWanted) [dates.value, refusal.value] = [null, error.message];
      }
    }, PREVIEW_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [recurrence_pattern, due_date, recurrence_end_date, timezone]);
  if (refusal.value) return <Refusal role="status">{refusal.value}</Refusal>; // it is still being typed
  if (!dates.value) return null;
  const { description, occurrences } = dates.value;
  return (
    <div class="preview">
      <p>
        <Icon.Repeat /> {description}
      </p>
      <ol>
        {occurrences.map((date) => {
          const { due, word } = exceptionOf?.(date) ?? { due: date.due_date, word: date.note };
          const Said = word === 'skipped' ? 'del' : 'span';
          return (
            <li key={date.due_date}>
              <Said>
                <time dateTime={due}>{fullTime(due, zone.value)}</time>
              </Said>
              {word && <em class="note">{word}</em>}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
