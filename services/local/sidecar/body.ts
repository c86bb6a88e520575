import type { DaprError } from './dapr-error.ts';

/** daprd's default `--max-body-size`: of a publish, a bulk and an invocation alike. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Throws what `refused` makes of a body that daprd would not read. */
export async function readBody(request: Request, refused: (reason: string) => DaprError): Promise<ArrayBuffer> {
  const body = await request.arrayBuffer();
  if (body.byteLength > MAX_BODY_BYTES) throw refused('stream too large');
  return body;
}
