import { FieldError } from './field.ts';

// Text that people write. It is kept as it was sent.

/** Whether a text has more characters than that, counted as PostgreSQL does: code points, not UTF-16 units. */
export const isLonger = (text: string, limit: number): boolean =>
  text.length > 2 * limit || (text.length > limit && [...text].length > limit);

/** The text. @throws {FieldError} naming field and limit when it has more characters than that */
export function atMost(limit: number, text: string, field: string): string {
  if (isLonger(text, limit)) throw new FieldError(field, `at most ${limit} characters`);
  return text;
}

/**
 * Whether anything of a text shows: not blanks, controls, joiners, fillers and variation selectors alone (the property
 * Default_Ignorable_Code_Point of UAX #44, and Braille without dots). What Unicode does not know yet counts as shown.
 */
export const isVisible = (text: string): boolean =>
  /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);

/**
 * A text for a terminal, which would obey some signs instead of showing them: controls, and those that turn the direction
 * of writing (UAX #9, 2).
 */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_C}]/gu, '\ufffd');

/** The same JSON for a terminal, those signs escaped: `JSON.stringify` escapes of the 65 controls the first 32 alone. */
export const printableJson = (json: string): string =>
  json.replace(/[\x7f-\x9f]|\p{Bidi_C}/gu, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * Whether a text has more than 30 combining marks in a row, which no language needs (UAX #15, 13). To normalise them
 * takes the square of their number: 15 s for 100,000 (measured, Bun 1.4.5). A row of 31 covers a 31st sign of the text: where
 * no such sign may be a mark nothing else is looked at, which took most of the time of a body of 1 MiB.
 */
export function isPiledUp(text: string): boolean {
  for (let at = 30; at < text.length; at += 31) if (mayBeMark(text, at)) return MARKS.test(text);
  return false;
}

/** Not sought anew behind each mark: that takes seven times as long where all rows are just short enough. */
const MARKS = /(?<!\p{M})\p{M}{31}/u;

/** The first is U+0300; a surrogate may be half of one. */
const mayBeMark = (text: string, at: number): boolean =>
  text.charCodeAt(at) >= 0x300 && /[\p{M}\p{Cs}]/u.test(text.charAt(at));
