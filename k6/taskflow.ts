import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import http from 'k6/http';
import type { RefinedResponse } from 'k6/http';
import { setTimeout } from 'k6/timers';
import { address } from './settings.ts';

export type User = { email: string; token: string };
export type Answer = RefinedResponse<'text'>;
export type Task = { id: string; title: string; completed: boolean };
export type Event = {
  event_type: string;
  timestamp: string;
  task_id: string;
  /** Of all but reminders. */
  task?: { title: string; parent_recurring_task_id?: string; occurrence_date?: string };
  /** Of reminders. */
  title?: string;
  trigger_at?: string;
};
export type Item = { id: number; created_at: string; event: Event };

const BASE_URL = address('BASE_URL', 'http://localhost:8080');
/** Past the entrance, to one instance of the notification service: an entrance needs two connections for each stream. */
const STREAM_URL = address('STREAM_URL', BASE_URL);

/** Of `bun run seed`, one JSON object a line; a relative path counts from this folder. All virtual users share one copy. */
const users = new SharedArray<User>('users', () => {
  const lines = open(__ENV.USERS || 'users.ndjson').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as User);
});

/** @throws when there are fewer: two virtual users who share an account would take each other's events */
export function userAt(index: number): User {
  const user = users[index];
  if (user) return user;
  throw new Error(`USERS has ${users.length} users, and this run needs ${index + 1} or more: bun run seed --users N`);
}

/** The account of this virtual user, which no other one has. `behind`: how many accounts are in other hands. */
export const ownUser = (behind = 0): User => userAt(behind + exec.vu.idInTest - 1);

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(() => resolve(), ms));

/** Waits until an instant, which may have passed; in ms since 1970. */
export const until = (at: number): Promise<void> => pause(Math.max(0, at - Date.now()));

/** One call of the API. `name` stands for it in the metrics, in place of an address that holds an id. Never throws. */
export function call(
  { token }: User,
  method: string,
  path: string,
  { name, body }: { name: string; body?: unknown },
): Promise<Answer> {
  return http.asyncRequest(method, `${BASE_URL}/api/v1${path}`, body === undefined ? null : JSON.stringify(body), {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    tags: { name },
  });
}

/** The JSON of an answer. @throws when it has not this status */
export function jsonOf<T>(answer: Answer, status: number): T {
  if (answer.status === status) return JSON.parse(answer.body) as T;
  throw new Error(`${answer.status} ${answer.error || answer.body} in place of ${status}`);
}

/**
 * Opens a stream and answers what it brought once it has ended: after `limit` notifications above `after`, or `waitSeconds`.
 * k6 cannot read an answer that is still coming.
 */
export async function stream(
  { token }: User,
  { after, limit, waitSeconds }: { after: number; limit: number; waitSeconds: number },
): Promise<Item[]> {
  const url = `${STREAM_URL}/api/v1/notifications/stream?limit=${limit}&last_event_id=${after}`;
  const answer = await http.asyncRequest('GET', url, null, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    tags: { name: 'stream' },
    timeout: `${Math.round(waitSeconds * 1000)}ms`,
  });
  return answer.status === 200 ? itemsOf(`${answer.body}`) : [];
}

/** The notifications among the events of a stream: lines of `event` and `data`, a blank line behind each event. */
function itemsOf(body: string): Item[] {
  const frames = body.split('\n\n').filter((frame) => /^event: task\./m.test(frame));
  return frames.map((frame) => JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '') as Item);
}

/** The number of the newest row in a user's inbox, 0 of an empty one. */
export async function headOf(user: User): Promise<number> {
  const answer = await call(user, 'GET', '/notifications?limit=1', { name: 'inbox' });
  return jsonOf<Item[]>(answer, 200)[0]?.id ?? 0;
}

/** All rows of a user's inbox above `after`, oldest first. */
export async function inbox(user: User, after: number): Promise<Item[]> {
  const items: Item[] = [];
  for (let from = after; ;) {
    const answer = await call(user, 'GET', `/notifications?after=${from}&limit=200`, { name: 'inbox' });
    const page = jsonOf<Item[]>(answer, 200);
    items.push(...page);
    from = page.at(-1)?.id ?? from;
    if (page.length < 200) return items;
  }
}
