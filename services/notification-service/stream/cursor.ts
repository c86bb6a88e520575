/** How far a user's inbox reaches; rows up to `purgedThrough` may be gone. */
export interface Reach {
  lastSeq: number;
  purgedThrough: number;
}

/** Where a stream begins, and what of the past cannot be given any more (numbers inclusive). */
export interface Start {
  cursor: number;
  gap: { from: number; to: number } | null;
}

/**
 * Where a stream begins that says the last number it has seen (null: nothing, it begins with what comes next). Every
 * number that cannot be resumed from is answered by a gap, never by silence: one below what was purged, one above the
 * counter (a database restored from a backup), or no number at all.
 */
export function startOf(lastEventId: string | null, { lastSeq, purgedThrough }: Reach): Start {
  if (lastEventId === null) return { cursor: lastSeq, gap: null };
  const seen = /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null;
  if (seen !== null && seen >= purgedThrough && seen <= lastSeq) return { cursor: seen, gap: null };
  const from = seen !== null && seen < purgedThrough ? seen + 1 : purgedThrough + 1;
  return { cursor: lastSeq, gap: { from, to: lastSeq } };
}

/** The header wins over the query: a client that reconnects repeats its old URL. An empty one says nothing. */
export const lastEventIdOf = (header: string | null, query: string | undefined): string | null =>
  header || query || null;
