import { check } from 'k6';
import { call, jsonOf, ownUser, type Task } from './taskflow.ts';

/** The calls of an iteration of `mix`, by their name in the metrics. */
const calls = ['create', 'list', 'read', 'update', 'complete'];

/**
 * Of each call: no promise names a figure, so these leave room above what was measured on a crowded machine, p(99) of 40 (read)
 * to 148 (create): README.md.
 */
export const mixThresholds = (count: number): Record<string, string[]> => ({
  ...Object.fromEntries(calls.map((name) => [`http_req_duration{name:${name}}`, ['p(95)<200', 'p(99)<500']])),
  'http_reqs{name:complete}': [`count>=${Math.floor(count)}`],
  checks: ['rate==1'],
});

/** An iteration: what a person does with a task, one call after the other. */
export async function mix(): Promise<void> {
  const user = ownUser();
  const body = { title: 'Call the bank', description: 'Ask for the new card', priority: 'high' };
  const created = await call(user, 'POST', '/tasks', { name: 'create', body });
  if (!check(created, { 'create answers 201': ({ status }) => status === 201 })) return;
  const { id } = jsonOf<Task>(created, 201);
  const listed = await call(user, 'GET', '/tasks?limit=50', { name: 'list' });
  check(listed, {
    'list has the task': (answer) =>
      answer.status === 200 && jsonOf<Task[]>(answer, 200).some((task) => task.id === id),
  });
  const read = await call(user, 'GET', `/tasks/${id}`, { name: 'read' });
  check(read, { 'read answers 200': ({ status }) => status === 200 });
  const updated = await call(user, 'PATCH', `/tasks/${id}`, { name: 'update', body: { priority: 'low' } });
  check(updated, { 'update answers 200': ({ status }) => status === 200 });
  const completed = await call(user, 'PATCH', `/tasks/${id}`, { name: 'complete', body: { completed: true } });
  check(completed, {
    'complete answers the task as completed': (answer) => answer.status === 200 && jsonOf<Task>(answer, 200).completed,
  });
}
