import { describe, expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';
import { edge } from './edge.ts';
import { createLog } from './log.ts';
import { type ApiDocument, apiDocs } from './openapi.ts';

const tasks = new Elysia({ prefix: '/api/v1' })
  .get('/tasks/:id', () => ({ id: 'x', dates: [] }), {
    params: t.Object({ id: t.String({ format: 'uuid' }) }),
    query: t.Object({ limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, description: 'how many' })) }),
    response: {
      200: t.Object({ id: t.String(), dates: t.Array(t.Object({ day: t.Integer() })) }),
      404: t.Object({ code: t.String() }),
    },
    detail: { tags: ['Tasks'], summary: 'Read one', description: 'With <b>all</b> fields and `limit`.' },
  })
  .post('/tasks', () => 'ok', { body: t.Object({ title: t.String({ maxLength: 255 }) }), detail: { tags: ['Tasks'] } })
  .get('/secret', () => 'ok');

const app = edge({ log: createLog('test', { write: () => {} }) })
  .use(
    apiDocs({
      path: '/api/v1/things',
      title: 'Things & co',
      description: 'About things.',
      version: '1.2.3',
      exclude: ['/api/v1/secret'],
    }),
  )
  .get('/health/live', () => 'ok')
  .get('/metrics', () => 'ok')
  .post('/events/created', () => 'ok')
  .use(tasks);
const get = (path: string) => app.handle(new Request(`http://localhost${path}`));

describe('the document', () => {
  test('holds the routes of the whole app, also later ones, and no internal or excluded ones', async () => {
    const document = (await (await get('/api/v1/things/openapi.json')).json()) as ApiDocument;
    expect(document.info).toEqual({ title: 'Things & co', description: 'About things.', version: '1.2.3' });
    expect(Object.keys(document.paths)).toEqual(['/api/v1/tasks/{id}', '/api/v1/tasks']);
  });

  test('describes parameters, answers, and bodies as JSON alone', async () => {
    const { paths } = (await (await get('/api/v1/things/openapi.json')).json()) as ApiDocument;
    const read = paths['/api/v1/tasks/{id}']?.get;
    expect(read?.parameters?.map(({ name, in: place }) => [name, place])).toEqual([
      ['id', 'path'],
      ['limit', 'query'],
    ]);
    expect(read?.parameters?.[1]?.schema).toEqual({
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description: 'how many',
    });
    expect(Object.entries(read?.responses ?? {}).map(([status, answer]) => [status, answer.description])).toEqual([
      ['200', 'OK'],
      ['404', 'Not Found'],
    ]);
    const { dates } = read?.responses?.[200]?.content?.['application/json']?.schema?.properties ?? {};
    expect(dates?.items?.properties?.day).toMatchObject({ type: 'integer' });
    expect(Object.keys(paths['/api/v1/tasks']?.post?.requestBody?.content ?? {})).toEqual(['application/json']);
  });
});
