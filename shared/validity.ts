import { FormatRegistry, type TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { isUuid } from './correlation.ts';
import { events, eventTypes } from './events.ts';
import { isInstant } from './time.ts';

// The registry is one for the process. Elysia 1.4.30 would take `urn:uuid:…` and times without an offset.
FormatRegistry.Set('uuid', isUuid);
FormatRegistry.Set('date-time', isInstant);

type Check = (value: unknown) => string | null;

/** Makes a check of a schema. It tells why a value does not match, or null: names the field, never what it holds. */
export function createCheck(schema: TSchema): Check {
  const compiled = TypeCompiler.Compile(schema);
  return (value) => {
    const first = compiled.Check(value) ? undefined : compiled.Errors(value).First();
    return first ? `${first.path || '/'}: ${first.message}` : null;
  };
}

const checks = new Map<unknown, Check>(eventTypes.map((type) => [type, createCheck(events[type].schema)]));

/** Why an event may not be published: the whole schema of its type (CONTRACT 11). Null: it may. */
export function invalidity(event: unknown): string | null {
  const check = checks.get(typeOf(event));
  return check ? check(event) : '/event_type: not one of the catalogue';
}

/** What something that may be an event says it is. */
export const typeOf = (event: unknown): unknown => (event as { event_type?: unknown } | null | undefined)?.event_type;
