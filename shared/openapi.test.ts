import { describe, expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';
import { edge } from './edge.ts';
import { createLog } from './log.ts';
import { type ApiDocument, typeText } from './openapi-page.ts';
import { apiDocs } from './openapi.ts';

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
    expect(typeText(read?.responses?.[200]?.content?.['application/json']?.schema ?? {})).toContain('day: integer\n');
    expect(Object.keys(paths['/api/v1/tasks']?.post?.requestBody?.content ?? {})).toEqual(['application/json']);
  });
});

describe('the page', () => {
  test('shows each operation under its tag, text escaped', async () => {
    const response = await get('/api/v1/things/docs');
    const html = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(html).toContain('<h2>Tasks</h2>');
    expect(html).toContain('<code>/api/v1/tasks/{id}</code> Read one');
    expect(html).toContain('With &lt;b&gt;all&lt;/b&gt; fields and <code>limit</code>.');
    expect(html).toContain('<code>integer (1 to 100)</code>');
  });

  test('loads nothing, and its policy allows its own style only', async () => {
    const response = await get('/api/v1/things/docs');
    const html = await response.text();
    expect(html).not.toMatch(/<script|<link|<img|src=|https?:\/\//);
    const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? '';
    const hash = new Bun.CryptoHasher('sha256').update(style).digest('base64');
    expect(response.headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
  });
});

describe('typeText', () => {
  test('writes a schema in the notation of TypeScript', () => {
    const schema = {
      properties: {
        title: { type: 'string', minLength: 1, maxLength: 255 },
        priority: { anyOf: [{ const: 'low' }, { type: 'null' }], description: 'how urgent' },
        tags: { items: { anyOf: [{ type: 'string' }, { type: 'null' }] }, maxItems: 9 },
      },
      required: ['title'],
    };
    expect(typeText(schema)).toMatchInlineSnapshot(`
      "{
        title: string (1 to 255 characters)
        priority?: "low" | null  // how urgent
        tags?: (string | null)[] (at most 9 entries)
      }"
    `);
  });
});
