import { Elysia, t } from 'elysia';
import { type Authenticator, authenticated, permit } from '#shared/auth';
import type { Sql } from '#shared/db';
import { refusedAs } from '#shared/errors';
import type { LongAnswers } from '#shared/long-answer';
import { knownForm } from '../changes/task-row.ts';
import * as model from './model.ts';
import { answered, createTask, deleteTask, listTasks, updateTask } from './service.ts';

const tags = ['Tasks'];

/**
 * The four task routes of Phase IV, on its columns alone, in place of the Phase V tasks when EVENTS=off. They publish
 * nothing; on a Phase V schema the trigger on `tasks` keeps what they did in `unpublished_changes`.
 */
export const phase4TaskRoutes = ({
  sql,
  authenticator,
  longAnswers,
}: {
  sql: Sql;
  authenticator: Authenticator;
  longAnswers: LongAnswers;
}) =>
  new Elysia({ prefix: '/api/v1' })
    .use(authenticated(authenticator))
    .get(
      '/tasks',
      async ({ principal: { userId }, principal, request, server }) => {
        permit(principal, 'tasks:read');
        const list = await listTasks(sql, userId);
        // To Elysia's types a Response is no array; it passes all the same.
        if ('pages' in list)
          return longAnswers.json({ request, server, userId }, list.pages, answered) as Promise<never>;
        return list.rows.map(answered);
      },
      { response: { 200: t.Array(model.task) }, detail: { tags, summary: 'My tasks, newest first' } },
    )
    .post(
      '/tasks',
      ({ principal, body, set }) => {
        permit(principal, 'tasks:write');
        set.status = 201;
        return createTask(sql, principal.userId, body);
      },
      {
        transform: refusedAs('TASK_CREATION_ERROR'),
        body: model.newTask,
        response: { 201: model.task },
        detail: { tags, summary: 'Create a task' },
      },
    )
    .put(
      '/tasks/:id',
      ({ principal, params, body }) => {
        permit(principal, 'tasks:write');
        return updateTask(sql, principal.userId, knownForm(params.id), body);
      },
      {
        transform: refusedAs('TASK_UPDATE_ERROR'),
        body: model.taskChanges,
        response: { 200: model.task },
        detail: { tags, summary: 'Change a task' },
      },
    )
    .delete(
      '/tasks/:id',
      async ({ principal, params, set }) => {
        permit(principal, 'tasks:write');
        await deleteTask(sql, principal.userId, knownForm(params.id));
        set.status = 204;
      },
      {
        transform: refusedAs('TASK_UPDATE_ERROR'),
        detail: { tags, summary: 'Delete a task', responses: { 204: { description: 'Deleted' } } },
      },
    );
