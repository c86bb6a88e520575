import { type Static, Type as t } from '@sinclair/typebox';
import type { Task } from './task.ts';

// Answers of the task API that a client reads, in types of their own: what the API documents is made of the same.

/** What a task looked like before recurrence, reminders and events: always there (CONTRACT 4). */
type Plain = 'id' | 'user_id' | 'title' | 'description' | 'completed' | 'created_at' | 'updated_at';

/** A task as REST answers it: other fields than the plain ones only where they are not null, `version` beside these. */
export type TaskAnswer = Pick<Task, Plain> & { [Field in Exclude<keyof Task, Plain>]?: NonNullable<Task[Field]> };

/** The form of every refusal (CONTRACT 4): in short, for programs, and for people with the field named. */
export const failureSchema = t.Object({ error: t.String(), code: t.String(), message: t.String() });

/** What became of one item of `POST /tasks/batch`, in the order given: its task, or why it was refused. */
export type ItemResult = { status: number; task?: TaskAnswer } | ({ status: number } & Static<typeof failureSchema>);

export type BatchAnswer = { results: ItemResult[] };

/**
 * Dates of a series, of `GET /tasks/{id}/occurrences` and `POST /recurrence/preview`: in words too, due in the form of the
 * series' own due date, with a note where a zone's clocks move one.
 */
export const datesSchema = t.Object({
  description: t.String(),
  timezone: t.String(),
  occurrences: t.Array(
    t.Object({
      occurrence_date: t.String(),
      due_date: t.String(),
      note: t.Union([t.String(), t.Null()]),
    }),
  ),
});

export type Dates = Static<typeof datesSchema>;
