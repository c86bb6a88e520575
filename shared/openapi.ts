import { STATUS_CODES } from 'node:http';
import { toOpenAPISchema } from '@elysiajs/openapi/openapi';
import type { TObject } from '@sinclair/typebox';
import { Elysia } from 'elysia';
import type { Schema } from './expectation.ts';

/** The part of an OpenAPI 3.1 document that we make or read. */
export interface ApiDocument {
  openapi: string;
  info: { title: string; description: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: object;
  security: object[];
}

export interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Content };
  responses?: Record<string, { description?: string; content?: Content }>;
  security?: object[];
}

/** Parameters of a route that it checks itself; each is optional as its schema says. */
export interface Reads {
  query?: TObject;
  headers?: TObject;
}

export type Content = Record<string, { schema?: Schema }>;

/** For operators and the sidecar, never routed by the gateway: no part of the published API. */
const INTERNAL = /^\/(events|internal|health|metrics)(\/|$)/;

/**
 * Serves the OpenAPI 3.1 document of all routes of the app at `<path>/openapi.json`; the page at `/docs` (services/web)
 * shows those of all services. What a route says about itself stands in its `detail` (`tags`, `summary`, `description`,
 * `hide`; `security: []` when it needs no login; `reads`, a query and headers that it checks itself: what stands as `query` or
 * `headers` of a route Elysia checks). `exclude`: further paths to leave out.
 *
 * Built on `toOpenAPISchema` of `@elysiajs/openapi`, not on its plugin: what that one serves comes with a page for each
 * service, from a CDN in the version `latest`.
 */
export function apiDocs({
  path,
  title,
  description,
  version,
  exclude = [],
}: {
  path: string;
  title: string;
  description: string;
  version: string;
  exclude?: (string | RegExp)[];
}) {
  const app = new Elysia({ name: 'api-docs', seed: path });

  // Built at the first request, when all routes are there.
  let built: ApiDocument | undefined;
  const document = () =>
    (built ??= {
      openapi: '3.1.2',
      info: { title, description, version },
      paths: pathsOf(app, [INTERNAL, ...exclude]),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'Access token or API token (tf_…)' },
        },
      },
      security: [{ bearer: [] }],
    });

  return app.get(`${path}/openapi.json`, () => document(), { detail: { hide: true } });
}

function pathsOf(app: Elysia, exclude: (string | RegExp)[]): ApiDocument['paths'] {
  // The library's types are of OpenAPI 3.0, what it makes is 3.1.
  const generated = JSON.stringify(toOpenAPISchema(asDocumented(app), { paths: exclude }).paths);
  const paths: ApiDocument['paths'] = JSON.parse(generated, (_key, value) => uncoerced(value));
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const { requestBody, responses = {} } = operation;
    if (requestBody) requestBody.content = jsonOnly(requestBody.content);
    for (const [status, response] of Object.entries(responses)) {
      if (!response.description || response.description.startsWith('Response for status'))
        response.description = STATUS_CODES[status] ?? '';
    }
  }
  return paths;
}

/**
 * The app as the library is to see it: without parsers, since it names the types of a body after those of its route, and a
 * parser that is a function (`jsonBodies`) tells it none: the body would be left out. Ours are JSON, whoever parses them.
 * What a route reads by itself stands where what Elysia checks would stand.
 */
function asDocumented(app: Elysia): Elysia {
  const routes = app['getGlobalRoutes']().map((route) => {
    const { reads, ...detail } = (route.hooks.detail ?? {}) as { reads?: Reads };
    return { ...route, hooks: { ...route.hooks, ...reads, detail, parse: undefined } };
  });
  return Object.create(app, { getGlobalRoutes: { value: () => routes } });
}

/** Elysia reads numbers and booleans from text too and puts that form of them first in a union, also in answers. */
function uncoerced(part: Schema | null): Schema | null {
  const [asText, meant] = part?.anyOf ?? [];
  const isCoerced = asText?.type === 'string' && ['integer', 'numeric', 'boolean'].includes(asText.format ?? '');
  return isCoerced && meant ? meant : part;
}

/** The library lists every form Elysia could parse; ours take JSON alone. */
const jsonOnly = (content: Content): Content =>
  content['application/json'] ? { 'application/json': content['application/json'] } : content;
