import type { Consumer, EventType } from '#shared/events';
import type { Books, InInbox, Written } from './books.ts';

/** Each series of the load gets one from chat-api at once and one from the processor. */
const INSTANCES = 2;

/** What the books say, and what is wrong in them, each in words with its ids. */
export type Account = {
  created: number;
  tasks: number;
  events: number;
  /** By who keeps them: how many of the events, tasks and reminders are where they belong. */
  inbox: number;
  audit: number;
  scheduled: number;
  sent: number;
  heard: number;
  lost: string[];
  doubled: string[];
  disordered: string[];
  /** Dead letters that nobody provoked. */
  dead: string[];
  /** Dead letters that the drill provoked. */
  poison: number;
};

/** Compares all that is written with all that should be: nothing lost, nothing twice, in order, no good event dead. */
export function account(books: Books): Account {
  const { outbox, reminders, inbox, audit, heard } = books;
  const events: Written[] = [...outbox, ...reminders];
  const letters = books.letters.map(letterKey);
  const expected = new Set(books.expectedLetters.map(letterKey));
  /** Where they belong and are not, unless the drill made the consumer refuse them. */
  const missing = (from: Written[], appId: Consumer, isKept: (event: Written) => boolean, where: string) =>
    from
      .filter((event) => !isKept(event) && !expected.has(`${appId} ${event.event_id}`))
      .map((event) => `${where}: ${said(event)}`);

  const latest = latestVersions(outbox);
  const watched = latest.filter(({ is_plain }) => !is_plain);
  const isSent = sentIn(books);
  const isScheduled = scheduledIn(books);
  return {
    created: outbox.filter(({ type }) => type === 'task.created').length,
    tasks: books.tasks.length,
    events: events.length,
    inbox: inbox.length,
    audit: audit.length,
    scheduled: watched.filter(isScheduled).length,
    sent: reminders.filter(isSent).length,
    heard: heard.reduce((sum, { eventIds }) => sum + eventIds.length, 0),
    poison: letters.filter((key) => expected.has(key)).length,
    lost: [
      ...unkept(books),
      ...unwritten(books),
      ...missingVersions(outbox),
      ...vanished(books, latest),
      ...outbox.filter(({ sent_at }) => sent_at === null).map((event) => `never published: ${said(event)}`),
      ...missing(events, 'notification-service', inInbox(books), 'not in the inbox'),
      ...missing(events, 'audit-logger', inAudit(books), 'not in the audit trail'),
      ...missing(watched, 'reminder-service', isScheduled, 'unknown to the reminder service'),
      ...series(books, (instances) => instances < INSTANCES),
      ...unfired(books).map((id) => `its reminder did not fire or was not published: task ${id}`),
      ...missing(reminders, 'chat-api', isSent, 'its task does not know it as sent'),
      ...unheard(books),
      ...[...expected].filter((key) => !letters.includes(key)).map((key) => `poison without its dead letter: ${key}`),
    ],
    doubled: [
      ...repeated(inbox.map(({ user_id, event_id }) => `in the inbox of ${user_id}: ${event_id}`)),
      ...repeated(audit.map(({ event_id }) => `in the audit trail: ${event_id}`)),
      ...heard.flatMap(({ userId, eventIds }) => repeated(eventIds.map((id) => `heard by ${userId}: ${id}`))),
      ...series(books, (instances) => instances > INSTANCES),
      ...invented(books, events),
    ],
    disordered: [...disordered(inbox), ...misheard(books)],
    dead: letters.filter((key) => !expected.has(key)),
  };
}

/** Answered, and not written. */
function unkept({ promised, outbox }: Books): string[] {
  const key = (taskId: string, type: EventType, version: number | '') => `${taskId} ${type} ${version}`;
  const kept = new Set(
    outbox.flatMap(({ task_id, type, task_version }) => [key(task_id, type, task_version), key(task_id, type, '')]),
  );
  return promised
    .filter(({ taskId, type, version }) => !kept.has(key(taskId, type, version ?? '')))
    .map(
      ({ taskId, type, version = 'the last' }) =>
        `answered and not in the outbox: ${type} of ${taskId}, version ${version}`,
    );
}

/** A task is written with its first event; its outbox row stays for 7 days. */
function unwritten({ tasks, outbox }: Books): string[] {
  const written = new Set(outbox.map(({ task_id }) => task_id));
  return tasks.filter(({ id }) => !written.has(id)).map(({ id }) => `a task without an event: ${id}`);
}

/** Each event of a task has the next version, from 1 on. */
function missingVersions(outbox: Written[]): string[] {
  return [...Map.groupBy(outbox, ({ task_id }) => task_id)].flatMap(([id, events]) => {
    const versions = new Set(events.map(({ task_version }) => task_version));
    const all = Array.from({ length: Math.max(...versions) }, (_, i) => i + 1);
    return all
      .filter((version) => !versions.has(version))
      .map((version) => `no event of task ${id}, version ${version}`);
  });
}

/** Only a deletion takes a task away. */
function vanished({ tasks }: Books, latest: Written[]): string[] {
  const ids = new Set(tasks.map(({ id }) => id));
  return latest
    .filter(({ type, task_id }) => type !== 'task.deleted' && !ids.has(task_id))
    .map((event) => `its task is not there: ${said(event)}`);
}

function latestVersions(outbox: Books['outbox']): Books['outbox'] {
  const latest = new Map<string, Books['outbox'][number]>();
  for (const event of outbox) {
    if (event.task_version > (latest.get(event.task_id)?.task_version ?? 0)) latest.set(event.task_id, event);
  }
  return [...latest.values()];
}

function inInbox({ inbox }: Books): (event: Written) => boolean {
  const rows = new Set(inbox.map(({ user_id, event_id }) => `${user_id} ${event_id}`));
  return ({ user_id, event_id }) => rows.has(`${user_id} ${event_id}`);
}

function inAudit({ audit }: Books): (event: Written) => boolean {
  const rows = new Set(audit.map(({ event_id }) => event_id));
  return ({ event_id }) => rows.has(event_id);
}

function scheduledIn({ schedule }: Books): (event: Written) => boolean {
  const versions = new Map(schedule.map(({ task_id, task_version }) => [task_id, task_version]));
  return ({ task_id, task_version }) => versions.get(task_id) === task_version;
}

function sentIn({ tasks }: Books): (event: Written) => boolean {
  const sent = new Set(tasks.filter(({ reminder_status }) => reminder_status === 'sent').map(({ id }) => id));
  return ({ task_id }) => sent.has(task_id);
}

/** Kept, and written by nobody. */
function invented({ inbox, audit }: Books, events: Written[]): string[] {
  const known = new Set(events.map(({ event_id }) => event_id));
  return [
    ...inbox.filter(({ event_id }) => !known.has(event_id)).map((row) => `in the inbox, never written: ${said(row)}`),
    ...audit
      .filter(({ event_id }) => !known.has(event_id))
      .map(({ event_id }) => `in the audit trail, never written: ${event_id}`),
  ];
}

function series({ tasks }: Books, isWrong: (instances: number) => boolean): string[] {
  return tasks
    .filter(({ instances }) => instances !== null && isWrong(instances))
    .map(({ id, instances }) => `instances of series ${id}: ${instances} of ${INSTANCES}`);
}

/** Of the tasks that are still there. */
function unfired({ tasks, schedule }: Books): string[] {
  const published = new Set(
    schedule.filter(({ event_id, is_published }) => event_id !== null && is_published).map(({ task_id }) => task_id),
  );
  return tasks.filter(({ id, is_due_at_once }) => is_due_at_once && !published.has(id)).map(({ id }) => id);
}

/** In the inbox of a listening person, and not heard; or a gap that the client was told of. */
function unheard({ inbox, heard }: Books): string[] {
  const rows = Map.groupBy(inbox, ({ user_id }) => user_id);
  return heard.flatMap(({ userId, eventIds, gaps }) => {
    const ids = new Set(eventIds);
    const missed = (rows.get(userId) ?? []).filter(({ event_id }) => !ids.has(event_id));
    return [
      ...missed.map((row) => `not heard by ${userId}: ${said(row)}`),
      ...gaps.map((gap) => `a gap was told to ${userId}: ${gap}`),
    ];
  });
}

/** One topic carries the events of one type, and of a task in order. Between topics there is none. */
function disordered(inbox: InInbox[]): string[] {
  const last = new Map<string, InInbox>();
  return inbox.flatMap((row) => {
    const key = `${row.user_id} ${row.task_id} ${row.type}`;
    const before = last.get(key);
    last.set(key, row);
    return before && before.task_version > row.task_version
      ? [`in the inbox of ${row.user_id}: ${said(row)} after version ${before.task_version}`]
      : [];
  });
}

/** A client hears its inbox from the first row to the last. */
function misheard({ inbox, heard }: Books): string[] {
  const seqs = new Map(inbox.map(({ user_id, event_id, seq }) => [`${user_id} ${event_id}`, seq]));
  return heard.flatMap(({ userId, eventIds }) => {
    const order = eventIds.map((id) => seqs.get(`${userId} ${id}`) ?? 0);
    return order.flatMap((seq, i) =>
      seq < (order[i - 1] ?? 0) ? [`heard by ${userId}: number ${seq} after ${order[i - 1]}`] : [],
    );
  });
}

/** Each key once that is there more than once. */
function repeated(keys: string[]): string[] {
  return [...Map.groupBy(keys, (key) => key)].filter(([, same]) => same.length > 1).map(([key]) => key);
}

const letterKey = ({ app_id, event_id }: { app_id: string; event_id: string }) => `${app_id} ${event_id}`;

const said = ({ type, event_id, task_id, task_version }: Written) =>
  `${type} ${event_id} of task ${task_id}, version ${task_version}`;
