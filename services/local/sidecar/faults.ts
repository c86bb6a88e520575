import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** What can be made to go wrong in one sidecar. */
export const faultsSchema = Type.Object(
  {
    /** off: the sidecar is dead, its port refuses. */
    state: Type.Union([Type.Literal('on'), Type.Literal('off')]),
    /** Each publish, invocation and delivery waits so long. */
    slow_ms: Type.Integer({ minimum: 0 }),
    /** Each event is delivered twice. */
    duplicate: Type.Boolean(),
    /** What waits in a partition is delivered newest first, and partitions overtake each other. */
    reorder: Type.Boolean(),
    /** hang: a frozen broker, 500 after 8 s and written in the end; fail: 500; absent: 404, Kafka was not there at start. */
    publish: Type.Union([Type.Literal('ok'), Type.Literal('hang'), Type.Literal('fail'), Type.Literal('absent')]),
  },
  { additionalProperties: false },
);

export type Faults = Static<typeof faultsSchema>;

export const noFaults: Faults = { state: 'on', slow_ms: 0, duplicate: false, reorder: false, publish: 'ok' };

export class FaultError extends Error {
  override name = 'FaultError';
}

const partial = Type.Partial(faultsSchema, { additionalProperties: false });

/** Throws FaultError that names the first field that is wrong. */
export function readFaults(body: unknown): Partial<Faults> {
  if (Value.Check(partial, body)) return body;
  const first = Value.Errors(partial, body).First();
  throw new FaultError(`${first?.path || 'the body'}: ${first?.message ?? 'is not an object of faults'}`);
}
