import { afterAll, expect, test } from 'bun:test';
import type { TSchema } from '@sinclair/typebox';
import { datesSchema } from '#shared/answers';
import { createCheck } from '#shared/validity';
import { createDatabase } from '../../../test/support/database.ts';
import { startApi } from './fixture.ts';
import { batchAnswerSchema, taskAnswerSchema } from './model.ts';

const database = await createDatabase();
const api = startApi(database);
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const daily = { title: 'Water the plants', due_date: '2026-12-01', recurrence_pattern: 'daily:' };

test.each<[string, TSchema, string, string, object?]>([
  ['a task', taskAnswerSchema, 'POST', '/tasks', daily],
  ['a batch, of which one is refused', batchAnswerSchema, 'POST', '/tasks/batch', { tasks: [daily, { title: '' }] }],
  ['the dates of a pattern', datesSchema, 'POST', '/recurrence/preview', daily],
])('%s is answered as the API documents it', async (_what, schema, method, path, body) => {
  const me = await api.person();
  const answer = await me.call(method, path, body);
  expect(answer.status).toBeLessThan(300);
  expect(createCheck(schema)(answer.body)).toBeNull();
});

test('the dates of a series are answered as the API documents them', async () => {
  const me = await api.person();
  const { body: series } = await me.call('POST', '/tasks', daily);
  const { body } = await me.call('GET', `/tasks/${series.id}/occurrences?limit=2`);
  expect(createCheck(datesSchema)(body)).toBeNull();
  expect(body.occurrences).toHaveLength(2);
});
