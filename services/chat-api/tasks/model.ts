import { type TProperties, Type as t } from '@sinclair/typebox';
import { failureSchema } from '#shared/answers';
import { answered, given, ofPhase4, taskColumns } from '../changes/columns.ts';
import { MAX_ITEMS } from './batch.ts';
import { span } from './parameters.ts';

// What the published API says of bodies. Checked by fields.ts, not from here: its refusals name field and reason, carry
// the codes of CONTRACT 4, and are the same for one task and for an item of a batch.

const writable: TProperties = Object.fromEntries(given.map((field) => [field, taskColumns[field].given]));

export const taskChangesSchema = t.Partial(t.Object(writable));
const { completed: _, ...optional } = taskChangesSchema.properties; // a new task is open
export const newTaskSchema = t.Object({ ...optional, title: taskColumns.title.given });
export const batchSchema = t.Object({ tasks: t.Array(newTaskSchema, { minItems: 1, maxItems: MAX_ITEMS }) });
export const snoozeSchema = t.Object({ for: t.String({ description: 'from now on: 10 minutes, 1 day, PT2H' }) });
export const previewSchema = t.Object({
  recurrence_pattern: t.String(),
  due_date: t.String(),
  timezone: t.Optional(t.String()),
  recurrence_end_date: t.Optional(t.String()),
  ...span.properties,
});

const always: string[] = ofPhase4;

/** A task as answered; the fields of Phase V only when they are not null. */
export const taskAnswerSchema = t.Object(
  Object.fromEntries(
    answered.map((field) => {
      const { answer } = taskColumns[field];
      return [field, always.includes(field) ? answer : t.Optional(answer)];
    }),
  ),
);

/** A task that was changed; after an edit of its series also what that changed. */
export const updatedTaskSchema = t.Composite([
  taskAnswerSchema,
  t.Object({
    changed: t.Optional(
      t.Array(t.Object({ id: t.String({ format: 'uuid' }), event_type: t.String() }), {
        description: 'of an edit of a series: each task that it changed, created or deleted',
      }),
    ),
  }),
]);

/** `ItemResult` of each item, in order. */
export const batchAnswerSchema = t.Object({
  results: t.Array(
    t.Union([
      t.Object({ status: t.Integer(), task: t.Optional(taskAnswerSchema) }),
      t.Object({ status: t.Integer(), ...failureSchema.properties }),
    ]),
  ),
});
