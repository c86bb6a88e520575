import { t } from 'elysia';

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

const title = t.String({ description: '1 to 255 characters after trimming, at least one of them visible' });
const description = t.Optional(t.Union([t.String(), t.Null()], { description: 'at most 5000 characters' }));

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
