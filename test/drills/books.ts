import type { Consumer, EventType } from '#shared/events';
import type { Promised } from './load.ts';
import type { World } from './world.ts';

/** An event that was written, and when. */
export type Written = {
  event_id: string;
  type: EventType;
  task_id: string;
  task_version: number;
  user_id: string;
  at: Date;
};
/** An event where a consumer keeps it, and since when. */
export type Kept = Pick<Written, 'event_id' | 'at'>;
export type InInbox = Written & { seq: number };
/** What the reminder service knows of a task; `event_id` when its reminder fired. */
export type Scheduled = {
  task_id: string;
  task_version: number;
  at: Date;
  is_published: boolean;
  event_id: string | null;
};
/** `is_due_at_once`: its reminder fires immediately. `instances`: of a series, null of other tasks. */
export type Task = { id: string; is_due_at_once: boolean; reminder_status: string | null; instances: number | null };
export type Letter = { app_id: string; event_id: string };

/** Everything that is written somewhere at the end of a drill. */
export type Books = {
  promised: Promised[];
  /** Those not deleted. */
  tasks: Task[];
  /** Events of tasks, with what became of them; `is_plain`: a task was created that reminds of nothing. */
  outbox: (Written & { sent_at: Date | null; is_plain: boolean })[];
  /** Events of reminders that fired. */
  reminders: Written[];
  schedule: Scheduled[];
  /** Each user's in order. */
  inbox: InInbox[];
  audit: Kept[];
  letters: Letter[];
  /** The letters that the drill provoked. */
  expectedLetters: Letter[];
  /** What each client heard, in order, and what it was told to have missed. */
  heard: { userId: string; eventIds: string[]; gaps: string[] }[];
};

export async function readBooks({ stack, load, clients, poison }: World): Promise<Books> {
  const { sql } = stack.database;
  const tasks = await sql<Task[]>`
    select id, coalesce(due_date - reminder_offset <= created_at, false) as is_due_at_once, reminder_status,
      case when recurrence_pattern is not null
        then (select count(*)::int from tasks instance where instance.parent_recurring_task_id = task.id) end as instances
    from tasks task`;
  const outbox = await sql<Books['outbox']>`
    select event_id, event_type as type, task_id, task_version, event ->> 'user_id' as user_id, created_at as at, sent_at,
      event_type = 'task.created' and event -> 'task' ->> 'reminder_status' is distinct from 'pending' as is_plain
    from outbox order by seq`;
  const fired = await sql<(Omit<Written, 'event_id' | 'type'> & Fired)[]>`
    select reminder_id, trigger_at, task_id, user_id, task_version, claimed_at as at
    from reminder_schedule where status = 'triggered' and claimed_at is not null`;
  const schedule = await sql<(Omit<Scheduled, 'event_id'> & Fired & { has_fired: boolean })[]>`
    select reminder_id, trigger_at, task_id, task_version, updated_at as at, published_at is not null as is_published,
      status = 'triggered' and claimed_at is not null as has_fired
    from reminder_schedule`;
  const inbox = await sql<InInbox[]>`
    select event_id, type, payload ->> 'task_id' as task_id, (payload ->> 'task_version')::int as task_version, user_id,
      created_at as at, seq::int
    from notifications order by user_id, seq`;
  const audit = await sql<Kept[]>`select event_id, stored_at as at from task_events`;
  const letters = await sql<Letter[]>`select app_id, event_id from dead_letters`;
  return {
    promised: load.promised,
    tasks,
    outbox,
    reminders: fired.map((row) => ({ ...row, type: 'task.reminder.triggered', event_id: eventIdOf(row) })),
    schedule: schedule.map((row) => ({ ...row, event_id: row.has_fired ? eventIdOf(row) : null })),
    inbox,
    audit,
    letters,
    expectedLetters: poison.map(({ appId, eventId }) => ({ app_id: appId, event_id: eventId })),
    heard: clients.map(({ userId, heard, gaps }) => ({
      userId,
      eventIds: heard.map(({ item }) => String((item.event as { event_id: string }).event_id)),
      gaps,
    })),
  };
}

type Fired = { reminder_id: string; trigger_at: Date };

/** As the reminder service makes it, so that whoever fires it again publishes the same event. */
const eventIdOf = ({ reminder_id, trigger_at }: Fired) => Bun.randomUUIDv5(trigger_at.toISOString(), reminder_id);

/** The events that a consumer is to be given, of these books. */
export const eventsFor = (appId: Consumer, { outbox, reminders }: Books): number =>
  [...(appId === 'chat-api' ? [] : outbox), ...(appId === 'reminder-service' ? [] : reminders)].length;
