/** The part of a JSON schema that we read. */
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

/** What a value must be by its schema, in words that follow "expected": `a whole number (1 to 200)`. */
export function expectation(schema: Schema): string {
  const { anyOf, type, format, pattern, items, uniqueItems } = schema;
  if (anyOf) return oneOf(anyOf.filter(isAsked).map(expectation));
  if (schema.const !== undefined) return String(schema.const);
  if (format === 'uuid') return 'a UUID';
  if (pattern !== undefined) return `text that matches ${pattern}`;
  const distinct = uniqueItems ? ' without repetition' : '';
  const each = items ? `, each ${expectation(items)}` : '';
  return `${nouns[String(type)] ?? 'another value'}${distinct}${limits(schema)}${each}`;
}

/** Elysia reads numbers and booleans from text too, and nothing where a body may be empty: not what a caller is asked for. */
const isAsked = ({ type, format = '' }: Schema): boolean =>
  type !== 'undefined' && !(type === 'string' && ['integer', 'numeric', 'boolean'].includes(format));

const nouns: Record<string, string> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'text',
  array: 'a list',
  object: 'a JSON object',
  null: 'null',
};

const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' });
const oneOf = (words: string[]): string => alternatives.format(new Set(words));

/** ` (1 to 100 characters)`, or nothing. */
function limits(schema: Schema): string {
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
