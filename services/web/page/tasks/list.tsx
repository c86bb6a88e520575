import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { useMemo } from 'preact/hooks';
import type { PageTask } from '../api.ts';
import { rungTasks } from '../live/reminders.tsx';
import { Menu } from '../parts/menu.tsx';
import { useShortcuts } from '../parts/shortcuts.ts';
import { zone } from '../session.ts';
import { changes, isRead, now } from '../state.ts';
import { type Move, movedTo, moves } from './moving.ts';
import { removeTask } from './removing.ts';
import { canSnooze, type Pause, pauses, snoozeBy } from './reminding.ts';
import { Chunk, chunked } from './chunk.tsx';
import { type RowActions, rowId, taskHref } from './row.tsx';
import { type Group, isSeries } from './views.ts';

/** Groups of tasks, with one row that keys act on. What is done to it hands the focus to the next. */
export function TaskList({
  groups,
  empty,
  headed = true,
  extra = {},
}: {
  groups: Group[];
  empty: ComponentChildren;
  headed?: boolean;
  /** What stands beside the heading of a group. */
  extra?: Record<string, ComponentChildren>;
}) {
  const { route, path } = useLocation();
  const current = useSignal<string | null>(null);
  const menu = useSignal<{ task: PageTask; at: HTMLElement } | null>(null);
  const tasks = groups.flatMap((group) => group.tasks);
  const at = Math.max(
    0,
    tasks.findIndex(({ id }) => id === current.value),
  );

  function focus(index: number): void {
    const task = tasks[Math.max(0, Math.min(tasks.length - 1, index))];
    if (!task) return document.getElementById('content')?.focus();
    current.value = task.id;
    document.getElementById(rowId(task.id))?.focus();
  }

  /** Of a row that leaves the list the next one takes the place. */
  function leaving(task: PageTask, act: () => void): void {
    const index = tasks.findIndex(({ id }) => id === task.id);
    const row = document.getElementById(rowId(task.id));
    const hadFocus = row?.contains(document.activeElement) ?? false;
    if (hadFocus) focus(index + 1 < tasks.length ? index + 1 : index - 1);
    act();
  }

  const toggle = (task: PageTask) =>
    isSeries(task) || leaving(task, () => (task.completed ? changes.reopen(task) : changes.complete(task)));
  const remove = (task: PageTask) => leaving(task, () => removeTask(task));
  const open = (task: PageTask) => route(path + taskHref(task.id));
  const move = (task: PageTask, { days, name }: Move) =>
    isSeries(task) || changes.move([task], () => movedTo(task, days, Date.now(), zone.value), `${name}: ${task.title}`);

  /** The rest of what can be done to a task, each with its key. */
  const itemsOf = (task: PageTask) => [
    { name: 'Open', key: '↵', act: () => open(task) },
    ...(isSeries(task)
      ? []
      : moves.map((one) => ({ name: one.name, key: `t ${one.key}`, act: () => move(task, one) }))),
    ...(canSnooze(task) ? pauses : []).map((pause) => ({
      name: `Snooze ${pause.name}`,
      key: `s ${pause.key}`,
      act: () => snoozeBy(task, pause),
    })),
    { name: wordForDelete(task), key: '#', act: () => remove(task) },
  ];

  const latest = useMemo(() => ({ toggle }), []);
  latest.toggle = toggle;
  /** The same for every drawing, so that a row is drawn again only for its own sake. */
  const on: RowActions = useMemo(
    () => ({
      focus: (id) => (current.value = id),
      toggle: (task) => void latest.toggle(task),
      more: (task, button) => (menu.value = { task, at: button }),
    }),
    [],
  );

  const withTask = (act: (task: PageTask) => unknown) => () => void (tasks[at] && act(tasks[at]));
  const isOnRow = () => document.activeElement?.id === rowId(tasks[at]?.id ?? '');
  const step = (by: number) => () => focus(isOnRow() ? at + by : at);
  /** The row that has the focus; else what rang last. */
  function snoozeByKey(pause: Pause): void {
    const focused = isOnRow() ? tasks[at] : undefined;
    const task = focused && canSnooze(focused) ? focused : rungTasks()[0];
    if (task) snoozeBy(task, pause);
  }
  useShortcuts({
    j: step(1),
    ArrowDown: step(1),
    k: step(-1),
    ArrowUp: step(-1),
    x: withTask(toggle),
    e: withTask(open),
    '[Shift]+#': withTask(remove),
    Delete: withTask(remove),
    ...Object.fromEntries(moves.map((one) => [`t ${one.key}`, withTask((task) => move(task, one))])),
    ...Object.fromEntries(pauses.map((pause) => [`s ${pause.key}`, () => snoozeByKey(pause)])),
  });

  if (!isRead.value)
    return (
      <p class="hint" aria-busy="true">
        Reading your tasks …
      </p>
    );
  if (tasks.length === 0) return <div class="empty">{empty}</div>;
  const common = { now: now.value, zone: zone.value, on };
  return (
    <div onKeyDown={(event) => event.key === 'Enter' && isOnRow() && withTask(open)()}>
      {groups.map(({ name, tasks: own }) => (
        <section key={name} class="group" aria-label={name}>
          {headed && (
            <header>
              <h2>{name}</h2>
              <span class="number">{own.length}</span>
              {extra[name]}
            </header>
          )}
          {chunked(own).map(({ key, tasks: some }) => (
            <Chunk
              key={key}
              tasks={some}
              current={some.find(({ id }) => id === tasks[at]?.id)?.id ?? null}
              {...common}
            />
          ))}
        </section>
      ))}
      {menu.value && (
        <Menu
          key={menu.value.task.id}
          at={menu.value.at}
          label={menu.value.task.title}
          items={itemsOf(menu.value.task)}
          close={() => (menu.value = null)}
        />
      )}
    </div>
  );
}

export const wordForDelete = (task: PageTask): string =>
  task.parent_recurring_task_id ? 'Skip this date' : isSeries(task) ? 'Delete the series' : 'Delete';
