import { afterAll, describe, expect, test } from 'bun:test';
import { createLog } from '#shared/log';
import type { ReminderTriggered } from '#shared/events';
import { createDatabase } from '../../../test/support/database.ts';
import { createReminderConsumer } from '../reminders.ts';
import { type Person, startApi } from './fixture.ts';

const database = await createDatabase();
const api = startApi(database);
const take = createReminderConsumer({ sql: api.sql, log: createLog('test', { level: 'error' }) });
const consume = (event: ReminderTriggered) => take([{ event, traceparent: null }]);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const reminding = { title: 'x', due_date: '2026-11-24T12:00:00Z', reminder_offset: '1 hour' };

async function createReminding(person: Person) {
  const { body } = await person.call('POST', '/tasks', reminding);
  return body as { id: string };
}

const triggered = (
  task: { id: string },
  person: Person,
  triggerAt = '2026-11-24T11:00:00.000Z',
): ReminderTriggered => ({
  event_type: 'task.reminder.triggered',
  event_id: crypto.randomUUID(),
  timestamp: triggerAt,
  actor: { type: 'service', id: 'reminder-service' },
  task_id: task.id,
  user_id: person.id,
  recipients: [person.id],
  task_version: 1,
  correlation_id: crypto.randomUUID(),
  reminder_type: 'due_date_reminder',
  trigger_at: triggerAt,
  due_date: '2026-11-24T12:00:00.000Z',
  offset_triggered: 'PT1H',
  title: 'x',
});

describe('a triggered reminder', () => {
  test('is noted as sent, without a version or an event', async () => {
    const ada = await api.person();
    const task = await createReminding(ada);
    await consume(triggered(task, ada));
    const { body, headers } = await ada.call('GET', `/tasks/${task.id}`);
    expect([body.reminder_status, headers.get('etag')]).toEqual(['sent', '"1"']);
    expect(await api.events(task.id)).toHaveLength(1);
  });

  test.each(['soon', '2026-02-30T11:00:00.000Z'])('for %p is refused, as a poison event is', async (triggerAt) => {
    const ada = await api.person();
    const task = await createReminding(ada);
    await expect(consume(triggered(task, ada, triggerAt))).rejects.toThrow('trigger_at: ');
    expect((await ada.call('GET', `/tasks/${task.id}`)).body.reminder_status).toBe('pending');
  });

  test('of another time or an unknown task changes nothing', async () => {
    const ada = await api.person();
    const moved = await createReminding(ada);
    await consume(triggered(moved, ada, '2026-11-24T10:30:00.000Z'));
    await consume(triggered({ id: crypto.randomUUID() }, ada));
    expect((await ada.call('GET', `/tasks/${moved.id}`)).body.reminder_status).toBe('pending');
  });

  test('that comes after the task was completed is noted too, so that opening it does not wait for another', async () => {
    const ada = await api.person();
    const done = await createReminding(ada);
    expect((await ada.call('PUT', `/tasks/${done.id}`, { completed: true })).body.reminder_status).toBe('cancelled');
    await consume(triggered(done, ada));
    const { body } = await ada.call('PUT', `/tasks/${done.id}`, { completed: false });
    expect(body.reminder_status).toBe('sent');
  });
});

describe('POST /tasks/:id/acknowledge', () => {
  test('acknowledges what was sent, once, and for good', async () => {
    const ada = await api.person();
    const task = await createReminding(ada);
    const early = await ada.call('POST', `/tasks/${task.id}/acknowledge`);
    expect([early.status, early.body.code]).toEqual([409, 'REMINDER_NOT_SENT']);
    await consume(triggered(task, ada));
    const first = await ada.call('POST', `/tasks/${task.id}/acknowledge`);
    const second = await ada.call('POST', `/tasks/${task.id}/acknowledge`);
    expect([first.body.reminder_status, second.status]).toEqual(['acknowledged', 200]);
    expect(await api.events(task.id)).toMatchObject([
      { event_type: 'task.created' },
      { event_type: 'task.updated', changes: { reminder_status: { old: 'sent', new: 'acknowledged' } } },
    ]);
    const snoozed = await ada.call('POST', `/tasks/${task.id}/snooze`, { for: '1 hour' });
    expect([snoozed.status, snoozed.body.code]).toEqual([409, 'REMINDER_NOT_SNOOZABLE']);
  });
});

describe('POST /tasks/:id/snooze', () => {
  test('fires again later, as an update', async () => {
    const ada = await api.person();
    const task = await createReminding(ada);
    await consume(triggered(task, ada));
    const { status, body } = await ada.call('POST', `/tasks/${task.id}/snooze`, { for: '10 minutes' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ reminder_status: 'pending', snoozed_until: '2026-11-24T10:10:00.000Z', version: 2 });
    await consume(triggered(task, ada, '2026-11-24T10:10:00.000Z'));
    expect((await ada.call('GET', `/tasks/${task.id}`)).body.reminder_status).toBe('sent');
  });

  test('ends when the due date moves', async () => {
    const ada = await api.person();
    const task = await createReminding(ada);
    await ada.call('POST', `/tasks/${task.id}/snooze`, { for: 'P1D' });
    const { body } = await ada.call('PATCH', `/tasks/${task.id}`, { due_date: '2026-11-26T12:00:00Z' });
    expect(body).not.toHaveProperty('snoozed_until');
  });

  test.each([undefined, 'soon', '0 minutes', 7])('refuses %p', async (pause) => {
    const ada = await api.person();
    const task = await createReminding(ada);
    const { status, body } = await ada.call('POST', `/tasks/${task.id}/snooze`, { for: pause });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'TASK_UPDATE_ERROR', message: expect.stringMatching(/^for: /) });
  });
});
