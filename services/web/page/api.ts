import type { Dates, TaskAnswer } from '#shared/answers';
import type { Item } from './live/protocol.ts';
import { ApiError, call, read, rowsOf } from './request.ts';
import { asTask, type PageTask, type TaskInput } from './task.ts';

export { ApiError, onSignedOut, untilIdle } from './request.ts';
export { asTask, type PageTask, type TaskInput };

export type Person = { id: string; email: string; role?: 'admin' };

/** Names one change, so that sending it again makes no second one. (`randomUUID` wants https.) */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

export const me = async (): Promise<Person> => (await call<Person>('GET', '/auth/me')).body;

export async function login(email: string, password: string): Promise<void> {
  await call('POST', '/auth/login', { body: { email, password } });
}

/** Whose session has ended already is out. */
export async function logout(): Promise<void> {
  await call('POST', '/auth/logout').catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  });
}

/** As the demo user of `up`, who types no password. */
export async function loginAsDemo(): Promise<void> {
  const response = await fetch('/local/demo-login', { method: 'POST' });
  if (!response.ok) await read(response);
}

/** The user's zone; null: none is set. Undefined: this server has no settings (Phase IV). */
export async function timezone(): Promise<string | null | undefined> {
  try {
    return (await call<{ timezone: string | null }>('GET', '/settings')).body.timezone;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

export const setTimezone = (zone: string) => call('PUT', '/settings', { body: { timezone: zone } });

/** Every task that a query names. */
export const listTasks = async (query: string): Promise<PageTask[]> =>
  (await rowsOf<TaskAnswer>(`/tasks?${query}&limit=1000`)).map(asTask);

export const readTask = async (id: string): Promise<PageTask> =>
  asTask((await call<TaskAnswer>('GET', `/tasks/${id}`)).body);

export const createTask = async (input: TaskInput, key: string): Promise<PageTask> =>
  asTask((await call<TaskAnswer>('POST', '/tasks', { body: input, key })).body);

export type Scope = 'this' | 'series';

export async function changeTask(
  id: string,
  changes: TaskInput,
  { scope, ifMatch }: { scope?: Scope; ifMatch?: string } = {},
): Promise<PageTask> {
  const path = `/tasks/${id}${scope ? `?scope=${scope}` : ''}`;
  const by = (method: string) => call<TaskAnswer>(method, path, { body: changes, ...(ifMatch && { ifMatch }) });
  const answer = await by('PATCH').catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 405) return by('PUT'); // Phase IV has nothing else
    throw error;
  });
  return asTask(answer.body);
}

export async function deleteTask(id: string, { keepalive = false } = {}): Promise<void> {
  await call('DELETE', `/tasks/${id}`, { keepalive });
}

/** The first dates of a rule that is not saved, in words and with what daylight saving does to them. */
export const previewDates = async (input: TaskInput & { from?: string }, limit: number): Promise<Dates> =>
  (await call<Dates>('POST', '/recurrence/preview', { body: { ...input, limit } })).body;

/** The next dates of a series, of now or of a day on, without those that were skipped. */
export const datesOfSeries = async (id: string, from?: string): Promise<Dates> =>
  (await call<Dates>('GET', `/tasks/${id}/occurrences${from ? `?from=${from}` : ''}`)).body;

export type NextReminder = {
  task_id: string;
  title: string;
  trigger_at: string;
  due_date: string | null;
  /** A sentence. */
  why: string;
};

/** What will remind, the nearest first. */
export const nextReminders = async (): Promise<NextReminder[]> =>
  (await call<NextReminder[]>('GET', '/reminders/next?limit=100')).body;

/** An answer with what a later change of it must match. */
export async function readForEdit(id: string): Promise<{ task: PageTask; etag: string }> {
  const { body, headers } = await call<TaskAnswer>('GET', `/tasks/${id}`);
  return { task: asTask(body), etag: headers.get('etag') ?? '' };
}

/** Reminds again after a while from now: `10 minutes`, `1 day`. */
export const snooze = async (id: string, length: string, key: string): Promise<PageTask> =>
  asTask((await call<TaskAnswer>('POST', `/tasks/${id}/snooze`, { body: { for: length }, key })).body);

export const acknowledge = async (id: string): Promise<PageTask> =>
  asTask((await call<TaskAnswer>('POST', `/tasks/${id}/acknowledge`)).body);

export type AuditEvent = {
  event_id: string;
  event_type: string;
  task_id: string;
  /** Owner of the task. */
  user_id: string;
  timestamp: string;
  stored_at: string;
  correlation_id: string;
  payload: {
    actor?: { type: string; id: string; name?: string };
    changes?: Record<string, { old: unknown; new: unknown }>;
    task?: PageTask;
    title?: string;
    trigger_at?: string;
    late_by_ms?: number;
    late_reason?: string;
  };
};

/** What happened to a task, oldest first; also of one that is deleted. */
export const history = (id: string): Promise<AuditEvent[]> => rowsOf<AuditEvent>(`/audit/tasks/${id}?limit=1000`);

/** Of 200 rows. What lies behind that much of one's own is old. */
const NOTICE_PAGES = 20;

/** The newest rows of the inbox that were meant to be noticed, as many as are wanted: there may be any number of others between. */
export const notices = (query: string, wanted: number): Promise<Item[]> =>
  rowsOf<Item>(`/notifications?${query}limit=200`, ({ notify }) => notify, wanted, NOTICE_PAGES);

export const markRead = (id: number) => call('POST', `/notifications/${id}/read`);
export const markAllRead = (through: number) => call('POST', `/notifications/read-all?through=${through}`);

export async function signUp(given: {
  email: string;
  password: string;
  timezone: string;
  invite_code?: string;
}): Promise<void> {
  await call('POST', '/auth/signup', { body: given });
}

export const resetPassword = (code: string, password: string) =>
  call('POST', '/auth/password/reset', { body: { code, new: password } });

export const changePassword = (current: string, password: string) =>
  call('PUT', '/auth/password', { body: { current, new: password } });

export type Login = {
  id: string;
  device: string | null;
  address: string | null;
  created_at: string;
  last_used_at: string;
  current: boolean;
};

export const sessions = async (): Promise<Login[]> => (await call<Login[]>('GET', '/auth/sessions')).body;
export const endSession = (id: string) => call('DELETE', `/auth/sessions/${id}`);

export const SCOPES = ['tasks:read', 'tasks:write', 'notifications:read', 'audit:read'] as const;
export type ApiToken = {
  id: string;
  name: string;
  scopes: (typeof SCOPES)[number][];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
};

export const tokens = async (): Promise<ApiToken[]> => (await call<ApiToken[]>('GET', '/auth/tokens')).body;
export const revokeToken = (id: string) => call('DELETE', `/auth/tokens/${id}`);
/** The answer alone has the token itself. */
export const createToken = async (
  name: string,
  scopes: string[],
  days: number | null,
): Promise<ApiToken & { token: string }> =>
  (await call<ApiToken & { token: string }>('POST', '/auth/tokens', { body: { name, scopes, expires_in_days: days } }))
    .body;

export type Level = 'all' | 'critical' | 'none';
export const level = async (): Promise<Level> =>
  (await call<{ level: Level }>('GET', '/notifications/preferences')).body.level;
export const setLevel = (value: Level) => call('PUT', '/notifications/preferences', { body: { level: value } });
