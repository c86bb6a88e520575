import { isUuid } from '#shared/correlation';
import { ApiError } from '#shared/errors';
import { isInstant } from '#shared/time';

/** The place of an event in the order of the trail: `timestamp` is ISO 8601 with milliseconds. */
export interface Place {
  timestamp: string;
  event_id: string;
}

/** A place as an opaque word for URLs. */
export const cursorOf = ({ timestamp, event_id }: Place): string =>
  Buffer.from(`${timestamp} ${event_id}`).toString('base64url');

/**
 * The place to go on after, or null without a cursor.
 * @throws {ApiError} 400 INVALID_CURSOR for what `cursorOf` did not make
 */
export function placeOf(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const [timestamp = '', event_id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ');
  if (isTimestamp(timestamp) && isUuid(event_id)) return { timestamp, event_id };
  throw new ApiError(400, 'INVALID_CURSOR', 'cursor: take it from the Link header of the page before.');
}

/** An instant in the one form that `toISOString` gives. */
const isTimestamp = (text: string): boolean => /\.\d{3}Z$/.test(text) && isInstant(text);
