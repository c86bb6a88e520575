import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { tinykeys } from 'tinykeys';
import type { PageTask } from '../api.ts';
import { zone } from '../session.ts';
import { changes, isRead, now, store } from '../state.ts';
import { Row, type RowActions, rowId } from './row.tsx';
import type { Group } from './views.ts';

/** So many rows are laid out at once, or not at all while they are out of sight. */
const CHUNK = 50;

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
  const current = useSignal<string | null>(null);
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
    const hadFocus = document.getElementById(rowId(task.id))?.contains(document.activeElement) ?? false;
    if (hadFocus) focus(index + 1 < tasks.length ? index + 1 : index - 1);
    act();
  }

  const on: RowActions = useMemo(
    () => ({
      focus: (id) => (current.value = id),
      toggle: (task) => latest.toggle(task),
      remove: (task) => latest.remove(task),
    }),
    [],
  );
  const latest = useMemo(() => ({}) as Pick<RowActions, 'toggle' | 'remove'>, []);
  latest.toggle = (task) => leaving(task, () => (task.completed ? changes.reopen(task) : changes.complete(task)));
  latest.remove = (task) => leaving(task, () => changes.remove(task));

  useEffect(() => {
    const withTask = (act: (task: PageTask) => void) => (event: KeyboardEvent) => {
      const task = tasks[at];
      if (!task || isBusy(event)) return;
      event.preventDefault();
      act(task);
    };
    const step = (by: number) => (event: KeyboardEvent) => {
      if (isBusy(event)) return;
      event.preventDefault();
      const isInList = document.activeElement?.id.startsWith('task-');
      focus(isInList ? at + by : at);
    };
    return tinykeys(window, {
      j: step(1),
      ArrowDown: step(1),
      k: step(-1),
      ArrowUp: step(-1),
      x: withTask(latest.toggle),
      '[Shift]+#': withTask(latest.remove),
      Delete: withTask(latest.remove),
    });
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
    <>
      {groups.map(({ name, tasks: own }) => (
        <section key={name} class="group" aria-label={name}>
          {headed && (
            <header>
              <h2>{name}</h2>
              <span class="number">{own.length}</span>
              {extra[name]}
            </header>
          )}
          {chunked(own).map((chunk, i) => (
            <ul key={i} class="chunk" style={{ '--rows': chunk.length }}>
              {chunk.map((task) => (
                <Row
                  key={task.id}
                  task={task}
                  isCurrent={task.id === tasks[at]?.id}
                  isPending={store.isPending(task.id)}
                  {...common}
                />
              ))}
            </ul>
          ))}
        </section>
      ))}
    </>
  );
}

/** Keys mean something else in a dialog. */
export const isBusy = ({ target }: KeyboardEvent): boolean =>
  target instanceof Element && target.closest('dialog') !== null;

function chunked(tasks: PageTask[]): PageTask[][] {
  const chunks: PageTask[][] = [];
  for (let from = 0; from < tasks.length; from += CHUNK) chunks.push(tasks.slice(from, from + CHUNK));
  return chunks;
}
