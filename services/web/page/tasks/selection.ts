import type { PageTask } from '../api.ts';

/** The ids of the tasks that are picked to be acted on together. */
export type Selection = ReadonlySet<string>;

export const nothing: Selection = new Set();

/** With one more, or without it where it was there. */
export function toggled(selection: Selection, id: string): Selection {
  const next = new Set(selection);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** With all from one place of a list to another, both included. */
export function extended(selection: Selection, tasks: PageTask[], from: number, to: number): Selection {
  const span = tasks.slice(Math.max(0, Math.min(from, to)), Math.max(from, to) + 1);
  return new Set([...selection, ...span.map(({ id }) => id)]);
}
