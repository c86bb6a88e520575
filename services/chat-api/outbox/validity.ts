import { TypeCompiler } from '@sinclair/typebox/compiler';
import { events, eventTypes, type TaskEvent } from '#shared/events';

const checks = new Map<string, ReturnType<typeof TypeCompiler.Compile>>(
  eventTypes.map((type) => [type, TypeCompiler.Compile(events[type].schema)]),
);

/** Why an event does not match the schema of its type, or null. Names the field, never what it holds. */
export function invalidity(event: TaskEvent | null): string | null {
  const check = checks.get(event?.event_type ?? '');
  if (!check) return 'event_type is not one of the catalogue';
  const first = check.Check(event) ? undefined : check.Errors(event).First();
  return first ? `${first.path || '/'}: ${first.message}` : null;
}
