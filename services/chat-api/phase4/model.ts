import { t } from 'elysia';
import { MAX_DESCRIPTION, MAX_TITLE } from '../changes/columns.ts';

/** A task as Phase IV answers it, and as Phase V answers a plain one. */
export const task = t.Object({
  id: t.String(),
  user_id: t.String(),
  title: t.String(),
  description: t.Union([t.String(), t.Null()]),
  completed: t.Boolean(),
  created_at: t.String(),
  updated_at: t.String(),
});
export type Task = typeof task.static;

const title = t.String({ description: `1 to ${MAX_TITLE} characters after trimming, at least one of them visible` });
const description = t.Optional(
  t.Union([t.String(), t.Null()], { description: `at most ${MAX_DESCRIPTION} characters` }),
);

export const newTask = t.Object({
  title,
  description,
});
export type NewTask = typeof newTask.static;

export const taskChanges = t.Object({
  title: t.Optional(title),
  description,
  completed: t.Optional(t.Boolean()),
});
export type TaskChanges = typeof taskChanges.static;
