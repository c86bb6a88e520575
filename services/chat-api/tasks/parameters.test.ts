import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Schema } from '#shared/expectation';
import type { ApiDocument, Operation } from '#shared/openapi';
import { createHouse } from '../fixture.ts';

// The published document against the routes: what it says of parameters is what they accept, refuse and heed.

const house = await createHouse();
afterAll(house.close);
const app = house.open();
const { token } = await app.signUp();

const series = { title: 'Water', due_date: '2030-01-01', recurrence_pattern: 'daily:' };
/** What each call with a body is sent. */
const bodies: Record<string, object> = {
  'POST /api/v1/tasks': { title: 'Pay' },
  'POST /api/v1/tasks/batch': { tasks: [{ title: 'Pay' }] },
  'PUT /api/v1/tasks/{id}': { title: 'Water all' },
  'PATCH /api/v1/tasks/{id}': { title: 'Water all' },
  'POST /api/v1/tasks/{id}/snooze': { for: '10 minutes' },
  'POST /api/v1/recurrence/preview': { due_date: '2030-01-01', recurrence_pattern: 'daily:' },
};

let paths: ApiDocument['paths'];
beforeAll(async () => {
  ({ paths } = (await (await app.call('GET', '/api/v1/openapi.json')).json()) as ApiDocument);
});

const operationOf = (call: string): Operation => {
  const [method = '', path = ''] = call.split(' ');
  return paths[path]?.[method.toLowerCase()] ?? { operationId: 'none' };
};
const parametersOf = (call: string, place: string): Record<string, Schema> =>
  Object.fromEntries(
    (operationOf(call).parameters ?? []).filter((each) => each.in === place).map(({ name, schema }) => [name, schema]),
  );
const taskCalls = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => methods[method]?.tags?.includes('Tasks'))
      .map((method) => `${method.toUpperCase()} ${path}`),
  );

const create = async (json: object) =>
  (await (await app.call('POST', '/api/v1/tasks', { token, json })).json()) as { id: string };

/** A call as documented, of a series of its own. */
async function call(name: string, { query = {}, headers = {} }: Partial<Record<'query' | 'headers', object>> = {}) {
  const [method = '', path = ''] = name.split(' ');
  const at = path.includes('{id}') ? path.replace('{id}', (await create(series)).id) : path;
  const given = new URLSearchParams(query as Record<string, string>);
  const answer = await app.call(method, given.size > 0 ? `${at}?${given}` : at, {
    token,
    json: bodies[name],
    headers: headers as Record<string, string>,
  });
  const body = answer.status === 204 ? {} : ((await answer.json()) as { code?: string; message?: string });
  return { status: answer.status, body };
}

describe.each([
  [
    'GET /api/v1/tasks',
    ['completed', 'due', 'due_from', 'due_to', 'kind', 'parent', 'q', 'sort', 'limit', 'cursor'],
    ['q'],
  ],
  ['GET /api/v1/tasks/{id}/occurrences', ['from', 'to', 'limit'], []],
  ['PUT /api/v1/tasks/{id}', ['scope'], []],
  ['PATCH /api/v1/tasks/{id}', ['scope'], []],
])('the query of %s', (name, names, free) => {
  test('is documented whole', () => {
    expect(Object.keys(parametersOf(name, 'query')).sort()).toEqual([...names].sort());
  });

  /** The message, or '' where it is taken. */
  async function refusal(parameter: string, value: unknown): Promise<string> {
    const { status, body } = await call(name, { query: { [parameter]: value } });
    return status === 400 ? (body.message ?? '') : '';
  }

  test('is refused where a value is none that is documented, by its name', async () => {
    for (const parameter of names.filter((each) => !free.some((other) => other === each)))
      expect(await refusal(parameter, 'nonsense!')).toStartWith(`${parameter}: `);
  });

  test('takes each documented value, and of a number those within its bounds alone', async () => {
    for (const [parameter, schema] of Object.entries(parametersOf(name, 'query'))) {
      const { minimum, maximum, type, enum: named = [] } = schema;
      const isNumber = type === 'integer';
      const taken = isNumber ? [minimum, maximum] : type === 'boolean' ? [true, false] : named;
      const refused = isNumber ? [(minimum ?? 0) - 1, (maximum ?? 0) + 1] : [];
      for (const value of taken)
        expect([parameter, value, await refusal(parameter, value)]).not.toEqual([
          parameter,
          value,
          expect.stringContaining('expected'),
        ]);
      for (const value of refused)
        expect([value, await refusal(parameter, value)]).toEqual([value, expect.stringContaining('expected')]);
    }
  });
});

test('the values of due, kind, sort and scope are named', () => {
  const { due, kind, sort } = parametersOf('GET /api/v1/tasks', 'query');
  const { scope } = parametersOf('PATCH /api/v1/tasks/{id}', 'query');
  expect([due, kind, sort, scope].map((schema) => schema?.enum)).toEqual([
    ['today', 'overdue', 'upcoming'],
    ['task', 'series', 'instance'],
    ['created_at', '-created_at', 'updated_at', '-updated_at', 'due_date', '-due_date'],
    ['this', 'series'],
  ]);
});

describe('headers', () => {
  test('If-Match is documented for each call that heeds it, and for no other', async () => {
    for (const name of taskCalls()) {
      const { status } = await call(name, { headers: { 'If-Match': '"999"' } });
      expect([name, 'If-Match' in parametersOf(name, 'header')]).toEqual([name, status === 412]);
    }
  });

  test('Idempotency-Key is documented for each call that heeds it, with its limit, and for no other', async () => {
    for (const name of taskCalls()) {
      const { 'Idempotency-Key': schema } = parametersOf(name, 'header');
      const most = schema?.maxLength ?? 255;
      const [fitting, longer] = [
        await call(name, { headers: { 'Idempotency-Key': 'k'.repeat(most) } }),
        await call(name, { headers: { 'Idempotency-Key': 'k'.repeat(most + 1) } }),
      ];
      const isRefused = ({ body }: typeof fitting) => body.code === 'INVALID_IDEMPOTENCY_KEY';
      expect([name, isRefused(fitting), schema !== undefined]).toEqual([name, false, isRefused(longer)]);
    }
  });
});

test.each([{ scope: 'series' }, {}])(
  'the answer of a series edit has no field that is not documented, %j',
  async (query) => {
    const { body } = await call('PATCH /api/v1/tasks/{id}', { query });
    const schema = operationOf('PATCH /api/v1/tasks/{id}').responses?.[200]?.content?.['application/json']?.schema;
    expect(Object.keys(body)).toContain('changed');
    expect(Object.keys(body).filter((field) => !(field in (schema?.properties ?? {})))).toEqual([]);
    expect(Object.keys(schema?.properties?.changed?.items?.properties ?? {})).toEqual(['id', 'event_type']);
    expect(schema?.required).not.toContain('changed');
  },
);

test('the preview says that it takes the span of the occurrences', () => {
  const { requestBody } = operationOf('POST /api/v1/recurrence/preview');
  const { properties = {} } = requestBody?.content['application/json']?.schema ?? {};
  const query = parametersOf('GET /api/v1/tasks/{id}/occurrences', 'query');
  for (const name of ['from', 'to', 'limit']) expect([name, properties[name]]).toEqual([name, query[name]]);
});
