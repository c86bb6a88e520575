import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Consumer, consumers, events } from '#shared/events';
import { operate } from '../support/operate.ts';
import { signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';
import { eventually } from '../support/wait.ts';

const appIds = Object.keys(consumers) as Consumer[];

let stack: RunningStack;
beforeAll(async () => {
  stack = await startStack({ only: appIds });
});
afterAll(() => stack?.stop());

const dlq = (appId: Consumer, words: string[], settings: Record<string, string> = {}) =>
  operate(stack, appId, ['dlq', ...words], settings);

const letterOf = async (appId: Consumer, eventId: string) =>
  (
    await stack.database.sql<{ replayed_at: Date | null }[]>`
    select replayed_at from dead_letters where app_id = ${appId} and event_id = ${eventId}`
  )[0];

/** As the sidecar delivers what is in a dead letter topic: what this consumer refused in an earlier version, or no JSON. */
async function bury(appId: Consumer, event: { event_id: string; event_type: string }): Promise<void> {
  const { topic } = events[event.event_type as keyof typeof events];
  const response = await fetch(`http://127.0.0.1:${stack.ports[appId]}/events/dead-letter`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'dapr-api-token': stack.secrets.APP_API_TOKEN },
    body: JSON.stringify({ specversion: '1.0', id: event.event_id, topic, data: event }),
  });
  expect(await response.json()).toEqual({ status: 'SUCCESS' });
}

function aReminder() {
  const user = crypto.randomUUID();
  return {
    event_type: 'task.reminder.triggered',
    event_id: Bun.randomUUIDv7(),
    timestamp: new Date().toISOString(),
    actor: { type: 'service', id: 'reminder-service' },
    task_id: crypto.randomUUID(),
    user_id: user,
    recipients: [user],
    task_version: 1,
    correlation_id: crypto.randomUUID(),
    reminder_type: 'due_date_reminder',
    trigger_at: '2026-11-24T10:00:00.000Z',
    due_date: '2026-11-24T11:00:00.000Z',
    offset_triggered: 'PT1H',
    title: 'Water the plants',
  };
}

describe('ops dlq', () => {
  test('shows what a consumer refused for good, and gives it to the consumer again once that is mended', async () => {
    const { sql } = stack.database;
    await sql`revoke insert on task_events from taskflow_audit_logger`;
    const me = await signUp(stack);
    const task = await me.ask('POST', '/tasks', { title: 'Refused by the trail' });
    const [{ event_id: id } = { event_id: '' }] = await sql<{ event_id: string }[]>`
      select event_id from outbox where task_id = ${String(task.id)}`;
    await eventually(() => letterOf('audit-logger', id), { ms: 20_000, what: 'the dead letter' });

    expect((await dlq('audit-logger', ['list'])).out).toMatch(new RegExp(`^${id} +taskflow\\..* +waits$`, 'm'));
    const listed = JSON.parse((await dlq('audit-logger', ['list', '--json'])).out) as object[];
    expect(listed).toEqual([expect.objectContaining({ event_id: id, replayed_at: null })]);
    const shown = JSON.parse((await dlq('audit-logger', ['show', id])).out) as { data: object };
    expect(shown.data).toMatchObject({ event_id: id, task: { title: 'Refused by the trail' } });

    const early = await dlq('audit-logger', ['replay', id]);
    expect(early).toMatchObject({ exitCode: 1, out: '' });
    expect(early.err).toContain(`${id} was answered REFUSED`);
    expect((await letterOf('audit-logger', id))?.replayed_at).toBeNull();

    await sql`grant insert on task_events to taskflow_audit_logger`;
    expect(await dlq('audit-logger', ['replay', '--all'])).toMatchObject({ exitCode: 0, out: '1 of 1 replayed.\n' });
    expect(await sql`select 1 from task_events where event_id = ${id}`).toHaveLength(1);
    expect((await letterOf('audit-logger', id))?.replayed_at).toBeInstanceOf(Date);
    expect((await dlq('audit-logger', ['list'])).out).not.toContain('waits');
    expect(await dlq('audit-logger', ['replay', '--all'])).toMatchObject({ exitCode: 0, out: '0 of 0 replayed.\n' });
    // Nothing was published again: the inbox has its one row.
    await stack.settled();
    expect(await sql`select 1 from notifications where payload ->> 'event_id' = ${id}`).toHaveLength(1);
  }, 60_000);

  test.each(appIds)('works at %s, and says so in its log', async (appId) => {
    const event = aReminder();
    await bury(appId, event);
    const { exitCode, err } = await dlq(appId, ['replay', event.event_id]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(err)).toMatchObject({
      service: appId,
      message: 'operator command',
      operator: expect.stringMatching(/^\S.* \(olga\)$/),
      command: 'dlq replay',
      arguments: [event.event_id],
      outcome: 'done',
    });
    expect((await letterOf(appId, event.event_id))?.replayed_at).toBeInstanceOf(Date);
    for (const command of ['list', 'show', 'replay']) {
      expect(await dlq(appId, [command, '--help'])).toMatchObject({ exitCode: 0, err: '' });
    }
  });

  test('leaves as it is what is refused again, belongs to another consumer, or finds no service', async () => {
    const [poison, event] = [{ ...aReminder(), task_version: '1' }, aReminder()];
    await bury('notification-service', poison);
    await bury('notification-service', event);
    expect((await dlq('notification-service', ['replay', poison.event_id])).err).toContain('was answered REFUSED');
    expect((await dlq('chat-api', ['replay', event.event_id])).err).toContain('chat-api has no dead letter');
    const alone = await dlq('notification-service', ['replay', event.event_id], { PORT: '1' });
    expect(alone.err).toContain('does not answer at http://127.0.0.1:1');
    const guess = await dlq('notification-service', ['replay', event.event_id], { APP_API_TOKEN: 'a guess' });
    expect(guess.err).toContain('was answered HTTP 401');
    for (const { event_id: id } of [poison, event]) {
      expect((await letterOf('notification-service', id))?.replayed_at).toBeNull();
    }

    const all = await dlq('notification-service', ['replay', '--all']);
    expect(all).toMatchObject({ exitCode: 1, out: '' });
    expect(all.err).toContain('1 of 2 replayed.');
  });
});
