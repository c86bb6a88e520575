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
 * takes the square of their number: 15 s for 100,000 (measured, Bun 1.4.5).
 */
export const isPiledUp = (text: string): boolean => /\p{M}{31}/u.test(text);
