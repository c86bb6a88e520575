import { limits, type Schema } from './openapi-page.ts';

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
