import { frame, STREAM_HEADERS } from './frame.ts';

/** What becomes of a stream's output: it is closed after the last frame, cut off at once, or gone already. */
interface Ending {
  last: Uint8Array | null;
  output: 'closed' | 'cut' | 'gone';
}

/**
 * The nine ways in which a stream ends, and the last frame of each (CONTRACT 9). An EventSource comes back after each of
 * them by itself; a page closes it when the frame says that another took its place, or that the person must log in first.
 */
export const ends = {
  /** A newer stream of the same client has taken its place. */
  replaced: closedAfter(frame({ event: 'replaced', data: '{}' })),
  'token-expired': closedAfter(frame({ event: 'token-expired', data: '{}' })),
  /** This replica stops. */
  reconnect: closedAfter(frame({ event: 'reconnect', data: '{"reason":"draining"}' })),
  /** It was asked for while this replica stops, and never had a place. */
  draining: closedAfter(unavailableFrame('draining')),
  /** The database did not answer while it opened. */
  unavailable: closedAfter(unavailableFrame('database')),
  /** Logged out, revoked or expired, or its user is disabled or gone: who comes back is answered 401. */
  'session-ended': closedAfter(null),
  /** It has carried as many notifications as its caller asked for. */
  limit: closedAfter(null),
  /** Its client left more unread than it may, or read nothing of a replay: a frame more would wait for ever. */
  slow: { last: null, output: 'cut' },
  /** Its client went away. */
  client: { last: null, output: 'gone' },
} as const satisfies Record<string, Ending>;

export type End = keyof typeof ends;

/** What passes by itself. An EventSource never retries after another status than 200, so this is a whole answer. */
export const unavailable = (end: 'unavailable' | 'draining'): Response =>
  new Response(ends[end].last, { headers: STREAM_HEADERS });

function closedAfter(last: Uint8Array | null) {
  return { last, output: 'closed' } as const;
}

function unavailableFrame(reason: 'database' | 'draining') {
  return frame({ retry: 10_000, event: 'unavailable', data: JSON.stringify({ reason }) });
}
