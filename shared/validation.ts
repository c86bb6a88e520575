import type { ValueError } from '@sinclair/typebox/errors';
import { expectation, type Schema } from './expectation.ts';

/**
 * Names the field of a body or query that fails its schema, and what was expected of it; never repeats what was sent.
 * `query`: the schema of the route's parameters.
 */
export function validationMessage(error: object, { url }: Request, query: Schema | undefined): string {
  const { all = [], type, value } = error as Partial<ValidationError>;
  const [first] = all;
  if (!first) return 'body: not valid';
  const { path, schema, value: given } = furthest(first);
  const whole = type === 'property' ? parameterOf(url, value, schema as Schema, query) : 'body';
  const field = path.replace(/^\//, '').replaceAll('/', '.') || whole;
  const missing = given === undefined ? 'missing, ' : '';
  return `${field}: ${missing}expected ${expectation(schema as Schema)}`;
}

/** What Elysia 1.4.30 says of a failed schema. */
interface ValidationError {
  type: string;
  value: unknown;
  all: ValueError[];
}

/** A union says nothing of its parts; of one around an object, the field of that object is what the caller can mend. */
function furthest(error: ValueError): ValueError {
  const inner = error.errors
    .map((part) => part.First())
    .find((first) => first && first.path.length > error.path.length);
  return inner ? furthest(inner) : error;
}

/** Of a number that is out of range Elysia 1.4.30 gives value and range without the name of the parameter. */
function parameterOf(url: string, value: unknown, range: Schema, query: Schema | undefined): string {
  const names = [...new URL(url).searchParams].filter(([, text]) => Number(text) === value).map(([name]) => name);
  const isOfRange = (name: string) => {
    const { minimum, maximum } = query?.properties?.[name] ?? {};
    return minimum === range.minimum && maximum === range.maximum;
  };
  return names.find(isOfRange) ?? names[0] ?? 'body';
}
