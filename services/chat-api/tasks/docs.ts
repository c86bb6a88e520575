import { type TProperties, Type as t } from '@sinclair/typebox';
import { datesSchema } from '#shared/answers';
import type { Reads } from '#shared/openapi';
import { MAX_ITEMS } from './batch.ts';
import {
  batchAnswerSchema,
  batchSchema,
  newTaskSchema,
  previewSchema,
  snoozeSchema,
  taskAnswerSchema,
  taskChangesSchema,
  updatedTaskSchema,
} from './model.ts';
import { idempotencyKey, ifMatch, listQuery, scopeQuery, span } from './parameters.ts';

const json = (schema: object) => ({ content: { 'application/json': { schema } } });

/** What a route says of itself in the published API: `query` and `headers` that it reads, its body and its answer. */
const documented = (
  summary: string,
  {
    query,
    headers,
    body,
    status = 200,
    answer,
  }: { query?: Reads['query']; headers?: TProperties; body?: object; status?: number; answer?: object },
) => ({
  tags: ['Tasks'],
  summary,
  reads: { ...(query && { query }), ...(headers && { headers: t.Object(headers) }) } satisfies Reads,
  ...(body && { requestBody: { required: true, ...json(body) } }),
  responses: { [status]: { description: summary, ...(answer && json(answer)) } },
});

/** What the published API says of each route of tasks. */
export const docs = {
  list: documented('Your tasks, newest first', {
    query: listQuery,
    answer: { type: 'array', items: taskAnswerSchema },
  }),
  read: documented('One task', { answer: taskAnswerSchema }),
  create: documented('Create a task', {
    headers: idempotencyKey,
    body: newTaskSchema,
    status: 201,
    answer: taskAnswerSchema,
  }),
  batch: documented(`Create up to ${MAX_ITEMS} tasks, each with its own result`, {
    headers: idempotencyKey,
    body: batchSchema,
    answer: batchAnswerSchema,
  }),
  update: documented('Change a task', {
    query: scopeQuery,
    headers: ifMatch,
    body: taskChangesSchema,
    answer: updatedTaskSchema,
  }),
  delete: documented('Delete a task; a series with its instances', { headers: ifMatch, status: 204 }),
  acknowledge: documented('Acknowledge a sent reminder', { headers: ifMatch, answer: taskAnswerSchema }),
  snooze: documented('Be reminded again later', {
    headers: { ...ifMatch, ...idempotencyKey },
    body: snoozeSchema,
    answer: taskAnswerSchema,
  }),
  occurrences: documented('The next dates of a series', { query: span, answer: datesSchema }),
  preview: documented('The dates of a pattern that is not saved', { body: previewSchema, answer: datesSchema }),
};
