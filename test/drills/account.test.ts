import { describe, expect, test } from 'bun:test';
import { account } from './account.ts';
import type { Books } from './books.ts';
import { recoveryMs } from './recovery.ts';

const at = new Date('2026-11-24T10:00:00Z');
const ada = 'ada';

/** A task that was created and changed twice, and one whose reminder fired; everything arrived everywhere. */
function goodBooks(): Books {
  const event = { user_id: ada, at };
  const changed = [1, 2, 3].map((task_version) => ({
    ...event,
    event_id: `changed-${task_version}`,
    type: task_version === 1 ? ('task.created' as const) : ('task.updated' as const),
    task_id: 'changed',
    task_version,
  }));
  const reminded = { ...event, event_id: 'new', type: 'task.created' as const, task_id: 'reminded', task_version: 1 };
  const reminder = { ...reminded, event_id: 'reminder', type: 'task.reminder.triggered' as const };
  const outbox = [...changed, reminded].map((each) => ({ ...each, sent_at: at as Date | null, is_plain: false }));
  const events = [...changed, reminded, reminder];
  return {
    promised: outbox.map(({ task_id, type, task_version }) => ({ taskId: task_id, type, version: task_version })),
    tasks: [
      { id: 'changed', is_due_at_once: false, reminder_status: null, instances: null },
      { id: 'reminded', is_due_at_once: true, reminder_status: 'sent', instances: null },
    ],
    outbox,
    reminders: [reminder],
    schedule: [
      { task_id: 'changed', task_version: 3, at, is_published: false, event_id: null },
      { task_id: 'reminded', task_version: 1, at, is_published: true, event_id: 'reminder' },
    ],
    inbox: events.map((each, i) => ({ ...each, seq: i + 1 })),
    audit: events.map(({ event_id }) => ({ event_id, at })),
    letters: [],
    expectedLetters: [],
    heard: [{ userId: ada, eventIds: events.map(({ event_id }) => event_id), gaps: [] }],
  };
}

/** What is found wrong when the books are changed so. */
function wrongAfter(change: (books: Books) => unknown) {
  const books = goodBooks();
  change(books);
  const { lost, doubled, disordered, dead } = account(books);
  return { lost, doubled, disordered, dead };
}

const nothing = { lost: [], doubled: [], disordered: [], dead: [] };
const without = <T extends { event_id: string }>(rows: T[], id: string) =>
  rows.filter(({ event_id }) => event_id !== id);

test('counts what was written and who has it', () => {
  expect(wrongAfter(() => {})).toEqual(nothing);
  expect(account(goodBooks())).toMatchObject({
    created: 2,
    tasks: 2,
    events: 5,
    inbox: 5,
    audit: 5,
    scheduled: 2,
    sent: 1,
    heard: 5,
  });
});

test('asks the reminder service for no task that was only created and reminds of nothing', () => {
  const changes = (is_plain: boolean) => (books: Books) => {
    for (const row of books.outbox) if (row.task_id === 'reminded') row.is_plain = is_plain;
    books.schedule = books.schedule.filter(({ task_id }) => task_id !== 'reminded');
  };
  const unknown = expect.stringContaining('unknown to the reminder service');
  expect(wrongAfter(changes(false)).lost).toContainEqual(unknown);
  expect(wrongAfter(changes(true)).lost).not.toContainEqual(unknown);
});

describe('finds what is lost', () => {
  const cases: [string, (books: Books) => unknown, string[]][] = [
    [
      'answered and not written',
      (books) => books.promised.push({ taskId: 'gone', type: 'task.deleted' }),
      ['answered and not in the outbox: task.deleted of gone, version the last'],
    ],
    [
      'a task that no event tells of',
      ({ tasks }) => tasks.push({ id: 'silent', is_due_at_once: false, reminder_status: null, instances: null }),
      ['a task without an event: silent'],
    ],
    [
      'a task that was not deleted',
      (books) => (books.tasks = books.tasks.filter(({ id }) => id !== 'changed')),
      ['its task is not there: task.updated changed-3 of task changed, version 3'],
    ],
    [
      'a version between two others',
      (books) => {
        books.outbox = without(books.outbox, 'changed-2');
        books.inbox = without(books.inbox, 'changed-2');
        books.audit = without(books.audit, 'changed-2');
        books.promised.splice(1, 1);
        books.heard[0]?.eventIds.splice(1, 1);
      },
      ['no event of task changed, version 2'],
    ],
    [
      'not published',
      ({ outbox }) => Object.assign(outbox[0] ?? {}, { sent_at: null }),
      ['never published: task.created changed-1 of task changed, version 1'],
    ],
    [
      'not in the inbox',
      (books) => {
        books.inbox = without(books.inbox, 'changed-2');
        books.heard[0]?.eventIds.splice(1, 1);
      },
      ['not in the inbox: task.updated changed-2 of task changed, version 2'],
    ],
    [
      'in the inbox of somebody else',
      ({ inbox, heard }) => {
        Object.assign(inbox[0] ?? {}, { user_id: 'bob' });
        heard[0]?.eventIds.shift();
      },
      ['not in the inbox: task.created changed-1 of task changed, version 1'],
    ],
    [
      'not in the audit trail',
      (books) => (books.audit = without(books.audit, 'reminder')),
      ['not in the audit trail: task.reminder.triggered reminder of task reminded, version 1'],
    ],
    [
      'not known to the reminder service',
      ({ schedule }) => Object.assign(schedule[0] ?? {}, { task_version: 2 }),
      ['unknown to the reminder service: task.updated changed-3 of task changed, version 3'],
    ],
    [
      'a reminder that did not fire',
      ({ schedule }) => Object.assign(schedule[1] ?? {}, { is_published: false }),
      ['its reminder did not fire or was not published: task reminded'],
    ],
    [
      'a reminder that chat-api does not know',
      ({ tasks }) => Object.assign(tasks[1] ?? {}, { reminder_status: 'pending' }),
      ['its task does not know it as sent: task.reminder.triggered reminder of task reminded, version 1'],
    ],
    [
      'not heard',
      ({ heard }) => heard[0]?.eventIds.pop(),
      ['not heard by ada: task.reminder.triggered reminder of task reminded, version 1'],
    ],
    [
      'the second instance of a series',
      ({ tasks }) => Object.assign(tasks[0] ?? {}, { instances: 1 }),
      ['instances of series changed: 1 of 2'],
    ],
    ['a gap', ({ heard }) => heard[0]?.gaps.push('2 to 4'), ['a gap was told to ada: 2 to 4']],
    [
      'poison that is nowhere',
      ({ expectedLetters }) => expectedLetters.push({ app_id: 'audit-logger', event_id: 'bad' }),
      ['poison without its dead letter: audit-logger bad'],
    ],
  ];
  test.each(cases)('%s', (_what, change, lost) => {
    expect(wrongAfter(change)).toEqual({ ...nothing, lost });
  });
});

describe('finds what is there twice', () => {
  test('in the inbox, in the audit trail and on a stream', () => {
    const { doubled } = wrongAfter(({ inbox, audit, heard }) => {
      inbox.push({ ...(inbox[0] as Books['inbox'][0]), seq: 6 });
      audit.push({ event_id: 'changed-2', at });
      heard[0]?.eventIds.push('reminder');
    });
    expect(doubled).toEqual([
      'in the inbox of ada: changed-1',
      'in the audit trail: changed-2',
      'heard by ada: reminder',
    ]);
  });

  test('as an instance too many', () => {
    const { doubled } = wrongAfter(({ tasks }) => Object.assign(tasks[0] ?? {}, { instances: 3 }));
    expect(doubled).toEqual(['instances of series changed: 3 of 2']);
  });

  test('as an event that nobody wrote', () => {
    const { doubled } = wrongAfter((books) => (books.reminders = []));
    expect(doubled).toEqual([
      'in the inbox, never written: task.reminder.triggered reminder of task reminded, version 1',
      'in the audit trail, never written: reminder',
    ]);
  });
});

describe('finds what is out of order', () => {
  test('in the inbox: two versions that one topic carries', () => {
    const { disordered } = wrongAfter(({ inbox, heard }) => {
      [inbox[1], inbox[2]] = [inbox[2] as Books['inbox'][0], inbox[1] as Books['inbox'][0]];
      inbox.forEach((row, i) => (row.seq = i + 1));
      heard[0]?.eventIds.splice(1, 2, 'changed-3', 'changed-2');
    });
    expect(disordered).toEqual([
      'in the inbox of ada: task.updated changed-2 of task changed, version 2 after version 3',
    ]);
  });

  test('not between topics, which have none', () => {
    const wrong = wrongAfter(({ inbox, heard }) => {
      inbox.unshift(inbox.splice(1, 1)[0] as Books['inbox'][0]);
      inbox.forEach((row, i) => (row.seq = i + 1));
      heard[0]?.eventIds.splice(0, 2, 'changed-2', 'changed-1');
    });
    expect(wrong).toEqual(nothing);
  });

  test('on a stream, against the inbox', () => {
    const { disordered } = wrongAfter(({ heard }) => heard[0]?.eventIds.reverse());
    expect(disordered[0]).toBe('heard by ada: number 4 after 5');
  });
});

test('misses no task whose last event is its deletion', () => {
  const wrong = wrongAfter((books) => {
    Object.assign(books.outbox[2] ?? {}, { type: 'task.deleted' });
    books.promised.splice(2, 1);
    books.tasks = books.tasks.filter(({ id }) => id !== 'changed');
  });
  expect(wrong).toEqual(nothing);
});

test('takes a dead letter for an error, unless the drill provoked it', () => {
  const letter = { app_id: 'audit-logger', event_id: 'changed-2' };
  const buried = (books: Books) => {
    books.audit = without(books.audit, 'changed-2');
    books.letters = [letter];
  };
  expect(wrongAfter(buried)).toMatchObject({ dead: ['audit-logger changed-2'] });
  expect(
    wrongAfter((books) => {
      buried(books);
      books.expectedLetters = [letter];
    }),
  ).toEqual(nothing);
});

test('each has recovered when its last event came that had waited for more than a second', () => {
  const books = goodBooks();
  expect(recoveryMs(books, at)).toEqual({ outbox: 0, inbox: 0, audit: 0, schedule: 0 });
  const after = (seconds: number) => new Date(at.getTime() + seconds * 1000);
  Object.assign(books.outbox[0] ?? {}, { sent_at: after(5) });
  Object.assign(books.inbox[0] ?? {}, { at: after(7) });
  Object.assign(books.audit[0] ?? {}, { at: after(9) });
  expect(recoveryMs(books, after(4))).toEqual({ outbox: 1000, inbox: 3000, audit: 5000, schedule: 0 });
});
