import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Json, signUp } from '../support/person.ts';
import { type RunningStack, startStack } from '../support/stack.ts';

let stack: RunningStack;
beforeAll(async () => {
  stack = await startStack({ only: ['chat-api', 'reminder-service', 'audit-logger'] });
});
afterAll(() => stack?.stop());

test('the trail of a task holds each event once, also of a deleted task, with what it was before; for its owner alone', async () => {
  const [me, other] = [await signUp(stack), await signUp(stack)];
  const { id } = await me.ask<{ id: string }>('POST', '/tasks', {
    title: 'Draft',
    due_date: new Date(Date.now() + 3_600_000).toISOString(),
    reminder_offset: '2 hours', // so it reminds at once
  });
  await stack.settled();
  await me.ask('PATCH', `/tasks/${id}`, { title: 'Report', priority: 'high' });
  await me.ask('PATCH', `/tasks/${id}`, { completed: true });
  await me.call('DELETE', `/tasks/${id}`);
  await stack.settled();

  const trail = await me.ask<{ event_id: string; event_type: string; payload: Json }[]>('GET', `/audit/tasks/${id}`);
  expect(trail.map(({ event_type: type, payload }) => [type, payload.task_version])).toEqual([
    ['task.created', 1],
    ['task.reminder.triggered', 1],
    ['task.updated', 2],
    ['task.completed', 3],
    ['task.deleted', 4],
  ]);
  expect(new Set(trail.map(({ event_id: eventId }) => eventId)).size).toBe(trail.length);
  expect(trail[2]?.payload.changes).toEqual({
    title: { old: 'Draft', new: 'Report' },
    priority: { old: null, new: 'high' },
  });
  expect(trail[4]?.payload.task).toMatchObject({ id, title: 'Report', completed: true });
  expect((await other.call('GET', `/audit/tasks/${id}`)).status).toBe(403);
});
