import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { hasEvents } from '../session.ts';
import { store } from '../state.ts';
import { taskHref } from '../tasks/link.tsx';
import { searchHref } from '../tasks/search.ts';
import { isComing } from '../tasks/views.ts';
import { type Command, commands } from './commands.ts';
import { Dialog } from './dialog.tsx';

const TASKS = 8;

/** Everything that can be done, by its name: a combobox with a list (ARIA Authoring Practices). Tasks are found by their titles. */
export function Palette({ close }: { close: () => void }) {
  const text = useSignal('');
  const at = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const { route } = useLocation();
  // As of the moment before it had the focus: what acts on a row means that one.
  const offered = useMemo(commands, []);
  const words = text.value.trim().toLowerCase().split(/\s+/);
  const isFound = (name: string) => words.every((word) => name.toLowerCase().includes(word));
  const open = (id: string) => () => route(taskHref(id));
  const found: Command[] = [
    ...offered.filter(({ name }) => isFound(name)),
    ...(text.value.trim() === '' ? [] : tasksNamed(isFound).map(({ id, title }) => ({ name: title, act: open(id) }))),
    ...(text.value.trim() === '' || !hasEvents.value ? [] : [searchFor(text.value.trim(), route)]),
  ];
  useLayoutEffect(() => list.current?.children[at.value]?.scrollIntoView({ block: 'nearest' }), [at.value]);

  /** First the focus goes back to where it was, then it is done. */
  function choose({ act }: Command, from: Element): void {
    from.closest('dialog')?.close();
    act();
  }
  function pressed(event: KeyboardEvent & { currentTarget: Element }): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = found[at.value];
    if (step) at.value = (at.value + step + found.length) % found.length;
    else if (event.key === 'Enter' && !event.isComposing && chosen) choose(chosen, event.currentTarget);
    else return;
    event.preventDefault();
  }
  return (
    <Dialog label="Commands" close={close}>
      <input
        class="palette-input"
        role="combobox"
        aria-label="What to do, or a task"
        aria-expanded="true"
        aria-controls="palette"
        aria-autocomplete="list"
        aria-activedescendant={`palette-${at.value}`}
        placeholder="What to do, or a task"
        autocomplete="off"
        value={text.value}
        onInput={({ currentTarget: { value } }) => ([text.value, at.value] = [value, 0])}
        onKeyDown={pressed}
      />
      <ul ref={list} id="palette" class="palette" role="listbox" aria-label="Commands and tasks">
        {found.map((one, i) => (
          <li
            key={`${one.name} ${one.key}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at.value}
            onPointerMove={() => (at.value = i)}
            onClick={({ currentTarget }) => choose(one, currentTarget)}
          >
            <span>{one.name}</span>
            {one.key && <kbd>{one.key}</kbd>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

const tasksNamed = (isFound: (title: string) => boolean) =>
  [...store.tasks.value.values()]
    .filter((task) => !task.completed && !isComing(task) && isFound(task.title))
    .slice(0, TASKS);

const searchFor = (text: string, route: (path: string) => void): Command => ({
  name: `Search everything for “${text}”`,
  act: () => route(searchHref(text)),
});
