import { createHmac } from 'node:crypto';

/** HMAC-SHA-256 of a payload: the same for what was delivered and for what comes back from its jsonb column. */
export const payloadMac = (payload: unknown, key: string): Buffer =>
  createHmac('sha256', key).update(canonicalJson(payload)).digest();

/**
 * JSON without white space and with sorted keys (RFC 8785), since jsonb keeps neither order nor spelling. Numbers agree
 * because both ways lead through JavaScript's.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
