import { dayOf } from '../days.ts';
import { zone } from '../session.ts';
import { changes, now, store } from '../state.ts';
import type { PageTask } from '../api.ts';
import { count, dueWords } from '../words.ts';
import { TaskList } from './list.tsx';
import { movedTo } from './moving.ts';
import { allOf, nextOf, todayOf } from './views.ts';

const longDate = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' });
const moment = () => ({ now: now.value, zone: zone.value });

function Heading({ name, children }: { name: string; children?: string }) {
  return (
    <header class="heading">
      <h1>{name}</h1>
      {children && <p>{children}</p>}
    </header>
  );
}

/** What is overdue, then what today asks for. */
export function TodayScreen() {
  const tasks = store.tasks.value;
  const groups = todayOf(tasks.values(), moment());
  const overdue = groups.find(({ name }) => name === 'Overdue')?.tasks ?? [];
  const all = overdue.length > 0 && (
    <button class="plain small" onClick={() => allToToday(overdue)}>
      Move all to today
    </button>
  );
  return (
    <>
      <Heading name="Today">{longDate.format(new Date(dayOf(now.value, zone.value)))}</Heading>
      <TaskList groups={groups} extra={{ Overdue: all }} empty={<NothingToday />} />
    </>
  );
}

function allToToday(tasks: PageTask[]): void {
  const to = (task: PageTask) => movedTo(task, 0, Date.now(), zone.value);
  changes.move(tasks, to, `${count(tasks.length, 'task')} moved to today`);
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

/** Everything that is open. */
export function AllScreen() {
  const groups = allOf(store.tasks.value.values());
  return (
    <>
      <Heading name="All" />
      <TaskList groups={groups} empty={<Examples />} />
    </>
  );
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
