import { sha256 } from '#shared/auth';
import type { Pool, Sql } from '#shared/db';
import { ApiError } from '#shared/errors';

/** An answer as it is stored and given again. */
export type Answer = { status: number; headers: Record<string, string>; body: unknown };

/** Characters of a key. */
export const MAX_KEY = 255;

/** The `Idempotency-Key` header, or null. @throws {ApiError} 400 unless it has 1 to 255 characters */
export function idempotencyKey(request: Request): string | null {
  const key = request.headers.get('idempotency-key');
  if (key === null || (key.length > 0 && key.length <= MAX_KEY)) return key;
  throw new ApiError(400, 'INVALID_IDEMPOTENCY_KEY', `Idempotency-Key: expected 1 to ${MAX_KEY} characters`);
}

/**
 * Does `work` once for each key, user and path within 24 h, in one transaction with the record of its answer; later
 * calls with the same body get that answer, a simultaneous twin waits for it. `work` that throws leaves no record.
 * `path` is the one name of the operation, not the caller's spelling of the address; of the body neither blanks and
 * escapes nor the order of its keys count.
 * @throws {ApiError} 409 IDEMPOTENCY_CONFLICT when the key came with another body
 */
export function once(
  sql: Pool,
  { userId, path, key, body }: { userId: string; path: string; key: string; body: unknown },
  work: (tx: Sql) => Promise<Answer>,
): Promise<Answer & { isRepeat: boolean }> {
  const hash = sha256(canonical(body));
  return sql.begin(async (tx) => {
    await forgetExpired(tx, userId);
    // Waits here for a twin: its key is not committed yet, and may still be rolled back.
    const [claimed] = await tx`
      insert into idempotency_keys (user_id, path, key, request_hash, status, headers, body)
      values (${userId}, ${path}, ${key}, ${hash}, 0, '{}', '') on conflict do nothing returning 1 as claimed`;
    if (!claimed)
      return { ...(await earlierAnswer(tx, { userId, path, key, hashes: [hash, hashAsSent(body)] })), isRepeat: true };
    const answer = await work(tx);
    await tx`
      update idempotency_keys set status = ${answer.status}, headers = ${tx.json(answer.headers)}, body = ${JSON.stringify(answer.body)}
      where user_id = ${userId} and path = ${path} and key = ${key}`;
    return { ...answer, isRepeat: false };
  });
}

/**
 * One text for one JSON value: keys in order at every level, numbers and strings as parsed (after RFC 8785, which orders
 * keys that are numbers as text too). A parsed body is at most 32 levels deep.
 */
const canonical = (body: unknown): string => JSON.stringify(body, (_key, value: unknown) => inOrder(value)) ?? '';

/** `fromEntries`, since an assignment to `__proto__` would be lost. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What 0.1.0 stored: a key of its last 24 h still gives its answer after an upgrade. */
const hashAsSent = (body: unknown): Buffer => sha256(JSON.stringify(body) ?? '');

const PURGE_ROWS = 5000;

/** Deletes the expired keys of everybody, a portion at a time. @returns how many */
export async function purgeKeys(sql: Sql): Promise<number> {
  const { count } = await sql`
    delete from idempotency_keys where ctid = any(array(
      select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit ${PURGE_ROWS} for update skip locked))`;
  return count;
}

/** Skips what another request is deleting, so that two of them do not wait for each other in a ring. */
async function forgetExpired(tx: Sql, userId: string): Promise<void> {
  await tx`
    delete from idempotency_keys where ctid in (
      select ctid from idempotency_keys where user_id = ${userId} and created_at < now() - interval '24 hours' for update skip locked)`;
}

async function earlierAnswer(
  tx: Sql,
  { userId, path, key, hashes }: { userId: string; path: string; key: string; hashes: Buffer[] },
): Promise<Answer> {
  const [row] = await tx<{ request_hash: Buffer; status: number; headers: Record<string, string>; body: string }[]>`
    select request_hash, status, headers, body from idempotency_keys
    where user_id = ${userId} and path = ${path} and key = ${key}`;
  if (!row || !hashes.some((hash) => hash.equals(row.request_hash)))
    throw new ApiError(409, 'IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used for another request.');
  return { status: row.status, headers: row.headers, body: JSON.parse(row.body) };
}
