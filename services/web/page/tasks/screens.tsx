import { dayOf } from '../days.ts';
import { asking } from '../parts/asking.ts';
import { useCommands } from '../parts/commands.ts';
import { Heading } from '../parts/heading.tsx';
import { useShortcuts } from '../parts/shortcuts.ts';
import { zone } from '../session.ts';
import { changes, now, readings, store } from '../state.ts';
import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { type ApiError, listTasks, type PageTask } from '../api.ts';
import { dayHeading, dueWords } from '../words.ts';
import { FilterBar } from './filter-bar.tsx';
import { filtered, filterNames, filtersOf } from './filters.ts';
import { taskHref } from './link.tsx';
import { TaskList } from './list.tsx';
import { fromBefore, movedTo } from './moving.ts';
import { rowId } from './row.tsx';
import { hasWords, searchHref, wordsOf } from './search.ts';
import { isOpen, isSeries, nextOf, overdueOf, todayOf, upcomingOf } from './views.ts';

const longDate = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' });
const moment = () => ({ now: now.value, zone: zone.value });

/** What is overdue, then what today asks for. */
export function TodayScreen() {
  const tasks = store.tasks.value;
  const groups = todayOf(tasks.values(), moment());
  const overdue = groups.find(({ name }) => name === 'Overdue')?.tasks ?? [];
  const all = <AllToToday overdue={overdue} />;
  return (
    <>
      <Heading name="Today">{longDate.format(new Date(dayOf(now.value, zone.value)))}</Heading>
      <TaskList groups={groups} extra={{ Overdue: all }} empty={<NothingToday />} />
    </>
  );
}

function AllToToday({ overdue }: { overdue: PageTask[] }) {
  const late = fromBefore(overdue, now.value, zone.value);
  function act(): void {
    const to = (task: PageTask) => movedTo(task, 0, Date.now(), zone.value);
    if (late.length > 0) changes.move(late, to, `Moved ${late.length} to today`);
  }
  const key = 't a';
  useShortcuts({ [key]: act });
  useCommands(() => (late.length > 0 ? [{ name: 'Move all that is overdue to today', key, act }] : []));
  if (late.length === 0) return null;
  return (
    <button class="plain small above" title={key} onClick={act}>
      Move all to today
    </button>
  );
}

function NothingToday() {
  const next = nextOf(store.tasks.value.values(), moment());
  return (
    <>
      <p>Nothing due today.</p>
      {next ? (
        <p>
          Next: {next.title}, {dueWords(next, moment())}.
        </p>
      ) : (
        <Examples />
      )}
    </>
  );
}

/** What today does not ask for yet, by day and then by week. */
export function UpcomingScreen() {
  const groups = upcomingOf(store.tasks.value.values(), moment(), (day) => dayHeading(day, moment()));
  return (
    <>
      <Heading name="Upcoming" />
      <TaskList groups={groups} empty={<p>Nothing is planned after today.</p>} />
    </>
  );
}

export function OverdueScreen() {
  const tasks = overdueOf(store.tasks.value.values(), moment());
  return (
    <>
      <Heading name="Overdue" />
      <AllToToday overdue={tasks} />
      <TaskList headed={false} groups={[{ name: 'Overdue', tasks }]} empty={<p>Nothing is late.</p>} />
    </>
  );
}

/** Everything that is open, and what is done where it is asked for. */
export function AllScreen() {
  const { query } = useLocation();
  const given = filtersOf(query);
  const isThere = useRead(given.show === '' ? null : 'completed=true', (task) => task.completed);
  const groups = filtered(store.tasks.value.values(), given, moment());
  const isNarrow = filterNames.some((name) => given[name] !== '');
  return (
    <>
      <Heading name="All" />
      <FilterBar given={given} />
      {!isThere && <p class="hint">Reading …</p>}
      {(isThere || groups.length > 0) && (
        <TaskList
          headed={given.sort === ''}
          groups={groups}
          empty={isNarrow ? <p>No task is like that.</p> : <Examples />}
        />
      )}
    </>
  );
}

/** The rules that make tasks. */
export function SeriesScreen() {
  const tasks = [...store.tasks.value.values()].filter(isSeries).sort((a, b) => a.title.localeCompare(b.title));
  const empty = (
    <>
      <p>A series makes a task for each of its dates: “Stand-up every weekday 9:00”.</p>
      <Examples />
    </>
  );
  return (
    <>
      <Heading name="Series" />
      <TaskList headed={false} groups={[{ name: 'Series', tasks }]} empty={empty} />
    </>
  );
}

const DONE_SHOWN = 200;

/** What was done, the last first. Read when it is asked for: there may be years of it. */
export function DoneScreen() {
  const isThere = useRead('completed=true', (task) => task.completed);
  const tasks = [...store.tasks.value.values()]
    .filter(({ completed }) => completed)
    .sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
    .slice(0, DONE_SHOWN);
  return (
    <>
      <Heading name="Done">{tasks.length === DONE_SHOWN ? `The last ${DONE_SHOWN}` : ''}</Heading>
      {isThere ? (
        <TaskList headed={false} isOfDone groups={[{ name: 'Done', tasks }]} empty={<p>Nothing is done yet.</p>} />
      ) : (
        <p class="hint">Reading …</p>
      )}
    </>
  );
}

/** Title and notes, open and done, as the server finds them; those that are open at once. */
export function SearchScreen() {
  const { query, route } = useLocation();
  const text = query.q ?? '';
  const [longest = '', ...others] = wordsOf(text);
  const found = useSignal<{ word: string; ids: ReadonlySet<string> }>({ word: '', ids: new Set() });
  const isThere = found.value.word === longest;
  const { value: reading } = readings;
  const field = useRef<HTMLInputElement>(null);
  // With words in the address, as after a reload, what they find is what one came for.
  useLayoutEffect(() => {
    if (text === '') field.current?.focus();
  }, [text === '']);
  useEffect(() => {
    if (longest === '') return;
    let stop: (() => void) | undefined;
    const ask = () => listTasks(`q=${encodeURIComponent(longest)}`);
    function take(tasks: PageTask[]): void {
      for (const task of tasks) store.apply(task);
      found.value = { word: longest, ids: new Set(tasks.map(({ id }) => id)) };
    }
    const timer = setTimeout(() => (stop = asking(ask, take, refused)), SEARCH_MS);
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [longest, reading]);
  // The server looks for what stands together: it is asked for one word, and the others are looked for in its answer.
  const has = (task: PageTask) =>
    ((isThere && found.value.ids.has(task.id)) || hasWords(task, [longest])) && hasWords(task, others);
  const tasks = longest === '' ? [] : [...store.tasks.value.values()].filter(has);
  const groups = [
    { name: 'Open', tasks: tasks.filter(isOpen) },
    { name: 'Series', tasks: tasks.filter(isSeries) },
    { name: 'Done', tasks: tasks.filter(({ completed }) => completed) },
  ].filter((group) => group.tasks.length > 0);
  const first = groups[0]?.tasks[0];
  function openFirst(event: Event): void {
    event.preventDefault();
    if (first) route(taskHref(first.id));
  }
  function goDown(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown' || !first) return;
    event.preventDefault();
    document.getElementById(rowId(first.id))?.focus();
  }
  return (
    <>
      <Heading name="Search" />
      <form class="search" role="search" onSubmit={openFirst}>
        <input
          ref={field}
          id="search"
          type="search"
          aria-label="Search titles and notes"
          placeholder="Search titles and notes"
          value={text}
          onKeyDown={goDown}
          onInput={({ currentTarget: { value } }) => route(searchHref(value), true)}
        />
      </form>
      <TaskList
        groups={groups}
        empty={
          <p>
            {longest === ''
              ? 'Done tasks are found, too.'
              : isThere
                ? `Nothing has “${text.trim()}” in its title or notes.`
                : 'Searching …'}
          </p>
        }
      />
    </>
  );
}

const SEARCH_MS = 200;

const refused = ({ message }: ApiError) => changes.say(message, true);

/** Reads what the first list has not (null: nothing), and again when that may be old; false until somebody has answered. */
function useRead(query: string | null, isAsked: (task: PageTask) => boolean): boolean {
  const answered = useSignal<string | null>(null);
  const { value: reading } = readings;
  useEffect(() => {
    if (query === null) return;
    return asking(
      () => store.read(listTasks(query), isAsked),
      () => (answered.value = query),
      refused,
    );
  }, [query, reading]);
  return query === null || answered.value === query;
}

const examples = [
  'Stand-up every weekday 9:00 ^15m',
  'Rent every month on the 1st 9:00 remind 1 day',
  'Call the bank tomorrow 9am !high',
];

function Examples() {
  return (
    <>
      <p>Say a whole task in one line, for example:</p>
      <ul class="examples">
        {examples.map((line) => (
          <li key={line}>
            <button class="plain" onClick={() => fill(line)}>
              {line}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Into the line above, to be looked at before it is saved. */
function fill(line: string): void {
  const input = document.querySelector<HTMLInputElement>('.quick-add input');
  if (!input) return;
  input.value = line;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  input.focus();
}
