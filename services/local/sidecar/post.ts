import type { LogRecord } from './log.ts';
import type { Sidecar } from './sidecar.ts';

/** What becomes of an event by the answer to its delivery. */
export type Outcome = 'success' | 'drop' | 'retry';

/** A delivery as it goes to an app. */
export type Call = { path: string; headers: Record<string, string>; body: string };

/** Brings a delivery to the sidecar's app. @returns its answer, or why there is none: refused, reset or too late */
export async function post(
  sidecar: Sidecar,
  { path, headers, body }: Call,
  { appApiToken, timeoutMs }: { appApiToken: string | null; timeoutMs: number | null },
): Promise<{ status: number; body: string } | { reason: string }> {
  const call = sidecar.beginCall(timeoutMs);
  try {
    const response = await fetch(`http://127.0.0.1:${sidecar.appPort}${path}`, {
      method: 'POST',
      headers: { ...headers, ...(appApiToken && { 'dapr-api-token': appApiToken }) },
      body,
      redirect: 'manual',
      signal: call.signal,
    });
    return { status: response.status, body: await response.text() };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  } finally {
    call.end();
  }
}

/** Kafka's record metadata. A dead letter carries its original's as headers, and those win. */
export function recordHeaders({ topic, partition, offset, key, writtenAt, headers }: LogRecord) {
  return {
    __topic: topic,
    __partition: String(partition),
    __offset: String(offset),
    __timestamp: String(Math.round(writtenAt)),
    ...(key !== null && { __key: key }),
    ...headers,
  };
}
