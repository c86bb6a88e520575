import type { Command } from '../parts/commands.ts';

/** How many tasks are picked, and what can be done to them together. */
export function SelectionBar({
  picked,
  all,
  commands,
  pickAll,
  clear,
}: {
  picked: number;
  all: number;
  commands: Command[];
  pickAll: () => void;
  clear: () => void;
}) {
  return (
    <div class="selection" role="toolbar" aria-label="Selected tasks">
      <p role="status">{picked} selected</p>
      {picked < all && (
        <button class="plain small" onClick={pickAll}>
          Select all {all}
        </button>
      )}
      <button class="plain small" title="Esc" onClick={clear}>
        Clear
      </button>
      <div class="choices">
        {commands.map(({ name, key, act }) => (
          <button key={name} class="plain small" title={key} onClick={act}>
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}
