import type { PageTask } from '../task.ts';

/** A row of the inbox as streams and REST give it (CONTRACT 9). */
export type Item = {
  id: number;
  notify: boolean;
  created_at: string;
  read_at: string | null;
  event: {
    event_type: string;
    task_id: string;
    task_version: number;
    task?: PageTask;
    title?: string;
    trigger_at?: string;
    due_date?: string;
    offset_triggered?: string | null;
    late_by_ms?: number;
    late_reason?: string;
    actor?: { type: string; id: string; name?: string };
    changes?: Record<string, { old: unknown; new: unknown }>;
  };
};

/**
 * `live`: what happens is heard at once, and if it has resumed, so was all before. `away`: reconnecting, since a time; `busy`:
 * the server answers, and says that it cannot now. `crowded`: other browsers have the places of this user. `out`: the session
 * has ended.
 */
export type StreamState =
  { is: 'starting' | 'crowded' | 'out' } | { is: 'live'; hasResumed: boolean } | { is: 'away' | 'busy'; since: number };

/** From the stream to the tabs. */
export type Heard =
  | { type: 'state'; state: StreamState }
  | { type: 'item'; item: Item }
  /** Something was missed: read anew. */
  | { type: 'gap' }
  /** What another tab was answered. */
  | { type: 'task'; task: PageTask }
  /** The zone that was chosen in another tab. */
  | { type: 'zone'; zone: string };

/**
 * From a tab to the stream, and by it to the other tabs. `check`: somebody looks, or it may have slept. `signed-out`: by this
 * tab, for the whole browser; `left`: the tab shows nobody's tasks, whoever ended that.
 */
export type Said =
  | { type: 'open' }
  | { type: 'check' }
  | { type: 'task'; task: PageTask }
  | { type: 'zone'; zone: string }
  | { type: 'signed-out' }
  | { type: 'left' }
  | { type: 'bye' };
