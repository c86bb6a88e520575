import type { Task } from '#shared/task';

/** A task as events carry it, with no more than it must have, unless `fields` say so. */
export function taskOf(fields: Partial<Task> = {}, at = new Date().toISOString()): Task {
  return {
    id: crypto.randomUUID(),
    user_id: crypto.randomUUID(),
    title: 'Water the plants',
    description: null,
    completed: false,
    created_at: at,
    updated_at: at,
    priority: null,
    due_date: null,
    due_all_day: null,
    timezone: null,
    recurrence_pattern: null,
    recurrence_end_date: null,
    catch_up: null,
    reminder_offset: null,
    reminder_status: null,
    snoozed_until: null,
    parent_recurring_task_id: null,
    occurrence_date: null,
    version: 1,
    ...fields,
  };
}

/** What every event of a task says, of a change that its owner made. */
export const factsOf = (task: Task) => ({
  event_id: Bun.randomUUIDv7(),
  timestamp: task.updated_at,
  actor: { type: 'user', id: task.user_id },
  task_id: task.id,
  user_id: task.user_id,
  recipients: [task.user_id],
  task_version: task.version,
  correlation_id: crypto.randomUUID(),
});
