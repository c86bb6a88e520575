import { createHash } from 'node:crypto';

/** The part of an OpenAPI 3.1 document that the page shows. */
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

export type Content = Record<string, { schema?: Schema }>;

export interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  patternProperties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
}

/**
 * An OpenAPI document as one HTML page without scripts and outside files. The content security policy that belongs to
 * it allows its own style and nothing else.
 */
export function page(document: ApiDocument): { html: string; headers: Record<string, string> } {
  const { title, description, version } = document.info;
  const tags = [...byTag(document)];
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<style>${STYLE}</style>
<header>
<h1>${text(title)} <small>${text(version)}</small></h1>
<p>${prose(description)}</p>
<p><a href="openapi.json">openapi.json</a></p>
<nav>${tags.map(([tag]) => `<a href="#${anchor(tag)}">${text(tag)}</a>`).join(' ')}</nav>
</header>
<main>
${tags.map(([tag, calls]) => section(tag, calls)).join('\n')}
</main>
</html>
`;
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
    },
  };
}

interface Call {
  method: string;
  path: string;
  operation: Operation;
}

function byTag({ info, paths }: ApiDocument): Map<string, Call[]> {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  return Map.groupBy(calls, ({ operation }) => operation.tags?.[0] ?? info.title);
}

const section = (tag: string, calls: Call[]) => `<section id="${anchor(tag)}">
<h2>${text(tag)}</h2>
${calls.map(details).join('\n')}
</section>`;

const details = ({ method, path, operation }: Call) => `<details id="${text(operation.operationId)}">
<summary><b class="${method}">${method.toUpperCase()}</b> <code>${text(path)}</code> ${prose(operation.summary ?? '')}</summary>
${operation.description ? `<p>${prose(operation.description)}</p>` : ''}
${operation.security?.length === 0 ? '<p>Needs no login.</p>' : ''}
${parameters(operation)}
${operation.requestBody ? `<h3>Body</h3>${content(operation.requestBody.content)}` : ''}
${Object.entries(operation.responses ?? {})
  .map(
    ([status, answer]) =>
      `<h3>${status} <small>${text(answer.description ?? '')}</small></h3>${content(answer.content ?? {})}`,
  )
  .join('\n')}
</details>`;

function parameters({ parameters: list = [] }: Operation): string {
  if (list.length === 0) return '';
  const rows = list.map(
    ({ name, in: place, required, schema }) =>
      `<tr><td><code>${text(name)}</code><td>${place}${required ? ', required' : ''}<td><code>${text(typeText(schema))}</code><td>${prose(schema.description ?? '')}`,
  );
  return `<h3>Parameters</h3><table>${rows.join('\n')}</table>`;
}

const content = (byType: Content) =>
  Object.entries(byType)
    .map(
      ([type, { schema }]) =>
        `<p><small>${text(type)}</small></p>${schema ? `<pre>${text(typeText(schema))}</pre>` : ''}`,
    )
    .join('\n');

/** A JSON schema in the notation of TypeScript, limits in parentheses. */
export function typeText(schema: Schema, indent = ''): string {
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return union.map((part) => typeText(part, indent)).join(' | ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.items) return `${bracketed(typeText(schema.items, indent))}[]${limits(schema)}`;
  if (schema.properties) return objectText(schema, indent);
  const values = Object.values(schema.patternProperties ?? {})[0];
  if (values) return `{ [name]: ${typeText(values, indent)} }`;
  return `${[schema.type ?? 'any'].flat().join(' | ')}${limits(schema)}`;
}

function objectText({ properties = {}, required = [] }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const comment = schema.description ? `  // ${schema.description}` : '';
    return `${inner}${name}${required.includes(name) ? '' : '?'}: ${typeText(schema, inner)}${comment}\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

const bracketed = (type: string) => (type.includes(' | ') ? `(${type})` : type);

/** ` (1 to 100 characters)`, or nothing. */
export function limits(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const parts = [
    schema.format,
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function range(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  if (least === undefined && most === undefined) return undefined;
  if (least === undefined) return `at most ${most}${unit}`;
  return most === undefined ? `at least ${least}${unit}` : `${least} to ${most}${unit}`;
}

const text = (value: string) => Bun.escapeHTML(value);
/** Text with `code` in it. */
const prose = (value: string) => text(value).replace(/`([^`]+)`/g, '<code>$1</code>');
const anchor = (tag: string) => `tag-${tag.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dce2, #3a3f47); --soft: light-dark(#f5f6f8, #1d2025); --quiet: light-dark(#5a6370, #9aa4b2); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; background: light-dark(#fff, #14161a); color: light-dark(#1b1f24, #e4e7eb); }
a { color: light-dark(#0b57d0, #8ab4f8); } nav a { margin-right: .75rem; } small { color: var(--quiet); font-weight: normal; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .75rem; } details[open] { padding-bottom: .75rem; }
summary { cursor: pointer; padding: .5rem 0; overflow-wrap: anywhere; } summary b { display: inline-block; min-width: 4.5rem; font-size: .85rem; }
.get { color: light-dark(#0b6e4f, #6ad7ae); } .post { color: light-dark(#0b57d0, #8ab4f8); } .put, .patch { color: light-dark(#8a5300, #f3c06b); } .delete { color: light-dark(#b3261e, #f2a19b); }
code, pre { font: 14px/1.45 ui-monospace, monospace; } pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: 4px; margin: .25rem 0; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line); padding: .25rem .75rem .25rem 0; vertical-align: top; } details p { margin: .25rem 0; }
`;
/** CSP 3, 8.3: an inline style is allowed by the hash of its text. */
const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;
