import type { PageTask } from '../api.ts';

/**
 * Whether `a` is a later state of a task than `b`, or the same. Events of one task may come out of order; a plain task is
 * answered without `version`, so there the time of the change decides (CONTRACT 4 and 9).
 */
export function isAsNew(a: PageTask, b: PageTask): boolean {
  if (a.version !== null && b.version !== null) return a.version >= b.version;
  return Date.parse(a.updated_at) >= Date.parse(b.updated_at);
}
