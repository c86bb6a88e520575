import { isPiledUp } from './text.ts';

/** Deeper JSON is refused: code that walks a value by recursion would overflow the stack. */
const MAX_DEPTH = 32;

/**
 * More is refused. A batch of 100 tasks with all their fields has 1,500. What JSON.parse takes grows faster than the number
 * of distinct keys: 75 ms for 100,000, which fit into 1 MiB, and 3 ms for 10,000 (CPU time, Bun 1.4.5).
 */
const MAX_VALUES = 10_000;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Why a text is too much JSON to be parsed, or null: one pass over its bytes, at most 7 ms for 1 MiB. Each comma and each
 * bracket has a value behind it, so an empty list counts as two. Says nothing of what is no JSON.
 */
export function excess(json: Uint8Array): string | null {
  let [values, depth] = [0, 0];
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case QUOTE:
        i = endOfText(json, i);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > MAX_DEPTH) return `The body is nested deeper than ${MAX_DEPTH} levels.`;
        if (++values > MAX_VALUES) return tooMany;
        break;
      case COMMA:
        if (++values > MAX_VALUES) return tooMany;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
    }
  }
  return null;
}

const tooMany = `The body holds more than ${MAX_VALUES.toLocaleString('en-GB')} values.`;

/** Where a text ends that begins at `from`: at the next quote behind an even number of backslashes, or with the whole. */
function endOfText(json: Uint8Array, from: number): number {
  for (let end = json.indexOf(QUOTE, from + 1); end >= 0; end = json.indexOf(QUOTE, end + 1)) {
    let first = end;
    while (json[first - 1] === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end;
  }
  return json.length;
}

/** Why no field of ours may hold this: text that PostgreSQL cannot store (RFC 7493, 2.1 forbids lone surrogates) or nobody can normalise. */
export function flaw(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'Text must not hold the character U+0000.';
    if (!value.isWellFormed()) return 'Text must not hold half of a surrogate pair.';
    return isPiledUp(value) ? 'Text must not hold more than 30 combining marks in a row.' : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  // Not `Object.values` of a list: it takes 50 times as long (Bun 1.4.5).
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    const problem = flaw(inner);
    if (problem !== null) return problem;
  }
  return null;
}
