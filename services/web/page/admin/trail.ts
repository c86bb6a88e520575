import type { AuditEvent } from '../api.ts';
import { addDays, instantOf } from '../days.ts';
import { call, nextOf } from '../request.ts';

/**
 * What an admin asks the trail for, as the address of the screen has it. Days are those of his zone, both inclusive; `history`
 * is one task, whose trail is shown whole.
 */
export type Filters = { user: string; type: string; from: string; to: string; request: string; history: string };

export const types = [
  'task.created',
  'task.updated',
  'task.completed',
  'task.deleted',
  'task.reminder.triggered',
] as const;

const NAMES = ['user', 'type', 'from', 'to', 'request', 'history'] as const;

export const filtersOf = (query: Record<string, string>): Filters =>
  Object.fromEntries(NAMES.map((name) => [name, query[name]?.trim() ?? ''])) as Filters;

/** The address of the screen with these filters alone. */
export function hrefOf(filters: Filters): string {
  const given = NAMES.filter((name) => filters[name] !== '').map((name) => [name, filters[name]]);
  return given.length === 0 ? '/audit' : `/audit?${new URLSearchParams(given)}`;
}

/** Where the API has it (CONTRACT 5): of events from a beginning to before an end, newest first; of a task oldest first. */
export function pathOf({ user, type, from, to, request, history }: Filters, zone: string): string {
  if (history) return `/audit/tasks/${encodeURIComponent(history)}?`;
  const asked = {
    user_id: user,
    type,
    from: from && instantOf(from, '00:00', zone),
    to: to && instantOf(addDays(to, 1), '00:00', zone),
    correlation_id: request,
  };
  return `/audit/events?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ''))}`;
}

export type Page = { events: AuditEvent[]; next: string | null };

/** `path`: that of `pathOf`, or the `next` of the page before. @throws {ApiError} */
export async function readPage(path: string): Promise<Page> {
  const { body, headers } = await call<AuditEvent[]>('GET', path);
  return { events: body, next: nextOf(headers) };
}
