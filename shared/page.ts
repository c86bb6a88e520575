import type { Fragment } from 'postgres';
import type { Sql } from './db.ts';

/** Rows, and the place behind which others follow; null: these were the last. */
export interface Page<Row, Place> {
  rows: Row[];
  next: Place | null;
}

/** How much is read at once: rows, and until so many bytes are full; without them whatever the rows hold. */
export interface Size {
  limit: number;
  bytes?: number;
}

/** Of a list that is read page by page: enough that queries do not tell, little enough to be held for hundreds of callers. */
export const PART = { limit: 1000, bytes: 256 * 1024 } as const;
/** Rows that are read by a plain statement: most lists have no more, and to measure takes 0.1 ms and a fifth of the time. */
export const FEW = { limit: 200 } as const;

/**
 * The first rows of `select` in its `order`, as many as fit by what `size` says of each. `isCut`: others follow. Postgres
 * measures no row but the `limit` first, and each once: to tell the length of JSON it must unpack it.
 */
export async function readRows<Row extends object>(
  sql: Sql,
  { select, columns, order, size }: { select: Fragment; columns: string[]; order: Fragment; size: Fragment },
  { limit, bytes }: Size,
): Promise<{ rows: Row[]; bytes: number; isCut: boolean }> {
  const first = sql`${select} order by ${order} limit ${limit + 1}`;
  if (bytes === undefined) {
    const found = await sql<Row[]>`${first}`;
    return { rows: found.slice(0, limit), bytes: 0, isCut: found.length > limit };
  }
  const measured = [...columns, 'bytes_to', 'is_followed'];
  const found = await sql<(Row & { bytes_to: number; is_followed: boolean })[]>`
    select ${sql(measured)} from (
      select *, sum(bytes) over sorted as bytes_to, lead(true) over sorted is not null as is_followed
      from (select *, ${size} as bytes from (${first}) as first offset 0) as sized
      window sorted as (order by ${order} rows unbounded preceding)) as page
    where bytes_to - bytes < ${bytes} order by ${order}`;
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, bytes: last?.bytes_to ?? 0, isCut: last?.is_followed ?? false };
}

type Reader<Row, Place> = (after: Place | null, size: Size) => Promise<Page<Row, Place>>;

/** The rows of a list, or where they are long its parts: each is read or made when the one before was taken. */
export type Rows<Row> = { rows: Row[] } | { pages: AsyncGenerator<Row[], undefined> };

/** The rows of a whole list from a place on. `bytesOf` says of a row what its `size` is to Postgres. */
export async function readAll<Row, Place>(
  start: Place | null,
  read: Reader<Row, Place>,
  bytesOf: (row: Row) => number,
): Promise<Rows<Row>> {
  const few = await read(start, FEW);
  if (few.next === null) return inParts(few.rows, bytesOf);
  const more = await read(few.next, PART);
  return more.next === null ? inParts([...few.rows, ...more.rows], bytesOf) : { pages: pagesFrom(start, read) };
}

/** Few rows may hold 4 MB: as one text they would wait in memory for whoever does not read. */
export function inParts<Row>(rows: Row[], bytesOf: (row: Row) => number): Rows<Row> {
  let bytes = 0;
  const parts = Map.groupBy(rows, (row) => Math.floor((bytes += bytesOf(row)) / PART.bytes));
  return parts.size > 1 ? { pages: each([...parts.values()]) } : { rows };
}

async function* each<T>(parts: T[]): AsyncGenerator<T, undefined> {
  yield* parts;
}

/**
 * The pages of a list from a place on, each read when the one before was taken: `total` rows at the most. A statement asks for
 * twice as many as fitted before, at `first` for so many, since those that do not fit are measured in vain.
 */
export async function* pagesFrom<Row, Place>(
  start: Place | null,
  read: Reader<Row, Place>,
  { first = PART.limit, total = Infinity }: { first?: number; total?: number } = {},
): AsyncGenerator<Row[], undefined> {
  let [place, limit, left] = [start, Math.min(first, total), total];
  do {
    const { rows, next } = await read(place, { limit, bytes: PART.bytes });
    yield rows;
    left -= rows.length;
    limit = Math.min(2 * rows.length, PART.limit, left);
    place = next;
  } while (place !== null && limit > 0);
}
