import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { PageTask } from '../api.ts';
import { rungTasks } from '../live/reminders.tsx';
import { type Command, useCommands } from '../parts/commands.ts';
import { Menu } from '../parts/menu.tsx';
import { useShortcuts } from '../parts/shortcuts.ts';
import { zone } from '../session.ts';
import { isRead, now } from '../state.ts';
import { nameOf } from '../words.ts';
import { Chunk, chunked } from './chunk.tsx';
import { commandsFor } from './commands.ts';
import { taskHref } from './link.tsx';
import { moves } from './moving.ts';
import { canSnooze, pauses, snoozeBy } from './reminding.ts';
import { type RowActions, rowId } from './row.tsx';
import { extended, nothing, type Selection, toggled } from './selection.ts';
import { SelectionBar } from './selection-bar.tsx';
import { type Group, isComing } from './views.ts';

const KEYS = ['x', 'e', 'h', '#', ...moves.map(({ key }) => `t ${key}`)];

/** Groups of tasks, with one row that keys act on, or several that are picked. What is done hands the focus to the next. */
export function TaskList({
  groups,
  empty,
  headed = true,
  isOfDone = false,
  extra = {},
}: {
  groups: Group[];
  empty: ComponentChildren;
  headed?: boolean;
  /** Whether each says when it was done, not when it is due. */
  isOfDone?: boolean;
  /** What stands beside the heading of a group. */
  extra?: Record<string, ComponentChildren>;
}) {
  const { route, query } = useLocation();
  const current = useSignal<string | null>(null);
  const selection = useSignal<Selection>(nothing);
  /** Whether rows have moved under a mouse that did not: the one that is there now is not meant. */
  const hasSlid = useSignal(false);
  const menu = useSignal<{ task: PageTask; at: HTMLElement } | null>(null);
  const tasks = groups.flatMap((group) => group.tasks);
  const indexOf = (id: string | null) => tasks.findIndex((task) => task.id === id);
  const at = Math.max(0, indexOf(current.value));
  const picked = selection.value.size === 0 ? [] : tasks.filter(({ id }) => selection.value.has(id));

  function focus(index: number): void {
    const task = tasks[Math.max(0, Math.min(tasks.length - 1, index))];
    if (!task) return document.getElementById('content')?.focus();
    current.value = task.id;
    document.getElementById(rowId(task.id))?.focus();
  }

  // Of a row that leaves the list with the focus the next takes the place, whatever took it away; one that is drawn in
  // another group keeps it.
  const place = useRef(0);
  const hadFocus = Boolean(document.activeElement?.closest('.row'));
  useLayoutEffect(() => {
    const index = indexOf(current.value);
    if (index >= 0) place.current = index;
    if (index >= 0 && hadFocus && document.activeElement === document.body) focus(index);
    else if (index < 0 && current.value !== null && document.activeElement === document.body) focus(place.current);
  });

  function clear(): void {
    if (document.activeElement?.closest('.selection')) focus(at);
    selection.value = nothing;
  }

  const open = (task: PageTask) => route(taskHref(task.id));
  const commandsOf = (some: PageTask[]): Command[] => {
    const [one] = some.length === 1 && !some.some(isComing) ? some : [];
    const own = one
      ? [
          { name: 'Open', key: 'e', act: () => open(one) },
          { name: 'History', key: 'h', act: () => route(taskHref(one.id, 'history')) },
        ]
      : [];
    return [...own, ...commandsFor(some)].map(({ act, ...one }) => ({ ...one, act: () => (act(), clear()) }));
  };
  const pickOne = (task: PageTask) => {
    current.value = task.id;
    selection.value = toggled(selection.value, task.id);
  };
  const menuFor = (task: PageTask): Command[] => [
    ...commandsOf([task]),
    { name: 'Select', key: 'Space', act: () => pickOne(task) },
  ];
  /** What has the focus, or something of it. */
  function focused(): PageTask | undefined {
    const id = document.activeElement?.closest('.row')?.id;
    return tasks.find((task) => rowId(task.id) === id);
  }
  /** What keys and the palette act on: what is picked, else the row that has the focus, else the task that is opened. */
  function subject(): PageTask[] {
    if (picked.length > 0) return picked;
    const one = focused() ?? tasks[indexOf(query.task ?? null)];
    return one ? [one] : [];
  }
  useCommands(() => commandsOf(subject()).map((one) => ({ ...one, name: `${one.name}: ${nameOf(subject())}` })));

  const latest = useMemo(() => ({}) as Pick<RowActions, 'toggle' | 'pick'>, []);
  latest.toggle = (task) => {
    hasSlid.value = true;
    commandsFor([task])
      .find(({ key }) => key === 'x')
      ?.act();
  };
  latest.pick = (task, isSpan) => {
    if (!isSpan) return pickOne(task);
    const to = indexOf(task.id);
    selection.value = extended(selection.value, tasks, current.value === null ? to : at, to);
    focus(to);
  };
  /** The same for every drawing, so that a row is drawn again only for its own sake. */
  const on: RowActions = useMemo(
    () => ({
      focus: (id) => (current.value = id),
      toggle: (task) => latest.toggle(task),
      pick: (task, isSpan) => latest.pick(task, isSpan),
      more: (task, button) => ([current.value, menu.value] = [task.id, { task, at: button }]),
    }),
    [],
  );

  const isOnRow = () => document.activeElement?.id === rowId(tasks[at]?.id ?? '');
  const step = (by: number) => () => focus(isOnRow() ? at + by : at);
  /** The row that is left is picked, and the one that is come to. */
  const stretch = (by: number) => () => {
    const to = Math.max(0, Math.min(tasks.length - 1, at + by));
    if (isOnRow()) selection.value = extended(selection.value, tasks, at, to);
    focus(isOnRow() ? to : at);
  };
  const run = (key: string) => () => {
    commandsOf(subject())
      .find((one) => one.key === key)
      ?.act();
  };
  /** The row that has the focus; else what rang last. */
  function snoozeByKey(key: string): void {
    const pause = pauses.find((one) => one.key === key);
    const one = focused();
    const task = one && canSnooze(one) ? one : rungTasks()[0];
    if (task && pause) snoozeBy([task], pause);
  }
  useShortcuts({
    j: step(1),
    ArrowDown: step(1),
    k: step(-1),
    ArrowUp: step(-1),
    'Shift+j': stretch(1),
    'Shift+ArrowDown': stretch(1),
    'Shift+k': stretch(-1),
    'Shift+ArrowUp': stretch(-1),
    Escape: clear,
    Delete: run('#'),
    ...Object.fromEntries(KEYS.map((key) => [key === '#' ? '[Shift]+#' : key, run(key)])),
    ...Object.fromEntries(pauses.map(({ key }) => [`s ${key}`, () => snoozeByKey(key)])),
  });

  /** What a row does by the keys of buttons. */
  function pressed(event: KeyboardEvent): void {
    const [task] = isOnRow() ? tasks.slice(at, at + 1) : [];
    if (!task || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault(); // the page would scroll
    if (isComing(task)) return;
    if (event.key === 'Enter') open(task);
    else pickOne(task);
  }

  if (!isRead.value)
    return (
      <p class="hint" aria-busy="true">
        Reading your tasks …
      </p>
    );
  if (tasks.length === 0) return <div class="empty">{empty}</div>;
  const common = {
    now: now.value,
    zone: zone.value,
    on,
    isOfDone,
    selection: picked.length > 0 ? selection.value : nothing,
  };
  return (
    <div
      class={hasSlid.value ? 'has-slid' : ''}
      onPointerMove={({ movementX, movementY }) => (movementX || movementY) && (hasSlid.value = false)}
      onKeyDown={pressed}
    >
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
      {picked.length > 0 && (
        <SelectionBar
          picked={picked.length}
          all={tasks.length}
          commands={commandsOf(picked).filter(({ key }) => key !== 'e' && key !== 'h')}
          pickAll={() => (selection.value = new Set(tasks.map(({ id }) => id)))}
          clear={clear}
        />
      )}
      {menu.value && (
        <Menu
          key={menu.value.task.id}
          at={menu.value.at}
          label={menu.value.task.title}
          items={menuFor(menu.value.task)}
          close={() => (menu.value = null)}
        />
      )}
    </div>
  );
}
