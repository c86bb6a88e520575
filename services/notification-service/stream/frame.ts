import { itemOf, type Row } from '../inbox/model.ts';

const encoder = new TextEncoder();

/**
 * One block of an event stream (WHATWG HTML 9.2.6). Any line break in `data` becomes a line of its own, which the
 * client joins by LF; breaks in `event`, and what an `id` may not hold, would break the frame and are left out.
 */
export function frame({
  retry,
  id,
  event,
  data,
}: {
  /** How long the client waits before it reconnects, in ms. */
  retry?: number;
  id?: number;
  event: string;
  data: string;
}): Uint8Array {
  const head = `${retry === undefined ? '' : `retry: ${retry}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return encoder.encode(`${head}event: ${event.replace(/[\r\n]/g, '')}\n${lines.join('')}\n`);
}

/** A notification: the inbox item exactly as `GET /notifications` gives it, on one line, since JSON escapes breaks. */
export function rowFrame(row: Row): Uint8Array {
  const known = frames.get(row);
  if (known) return known;
  const built = frame({ id: row.seq, event: row.type, data: JSON.stringify(itemOf(row)) });
  frames.set(row, built);
  return built;
}

/** All streams that carry a row write the same bytes. */
const frames = new WeakMap<Row, Uint8Array>();

/** What the client missed and how to read it again, numbers inclusive. It stands at `at` afterwards. */
export const gapFrame = (from: number, to: number, at: number, retry?: number): Uint8Array =>
  frame({
    ...(retry !== undefined && { retry }),
    id: at,
    event: 'stream.gap',
    data: JSON.stringify({ from, to, url: `/api/v1/notifications?after=${from - 1}&before=${to + 1}` }),
  });

/** Keeps proxies from cutting a silent stream; with an `id` it moves the client's position without an event. */
export const heartbeatFrame = (id?: number): Uint8Array =>
  encoder.encode(id === undefined ? ': heartbeat\n\n' : `: heartbeat\nid: ${id}\n\n`);

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};
