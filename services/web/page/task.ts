import type { Task } from '#shared/task';

/** What a page says of a task: as events carry it, nulls explicit. `version` is null where an answer leaves it out. */
export type PageTask = Omit<Task, 'version'> & { version: number | null };

export type TaskInput = Partial<
  Pick<
    PageTask,
    | 'title'
    | 'description'
    | 'completed'
    | 'priority'
    | 'due_date'
    | 'timezone'
    | 'recurrence_pattern'
    | 'recurrence_end_date'
    | 'catch_up'
    | 'reminder_offset'
  >
>;

/** All that may be null; the compiler asks for a field that is new. */
const empty = {
  description: null,
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
  version: null,
} as const satisfies { [F in keyof PageTask as null extends PageTask[F] ? F : never]: null };

/** A task as answered, which leaves out what is null, in the one form of the page. */
export function asTask(answer: Partial<PageTask>): PageTask {
  const task = { ...empty, ...answer } as PageTask;
  return { ...task, due_all_day: task.due_date === null ? null : task.due_date.length === 10 };
}
