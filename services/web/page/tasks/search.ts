import type { PageTask } from '../api.ts';

export const SEARCH = '/search';
/** Where this text is searched for. */
export const searchHref = (text: string): string => `${SEARCH}?q=${encodeURIComponent(text)}`;

/** The words of a search, the longest first: it finds the fewest. */
export const wordsOf = (text: string): string[] =>
  folded(text)
    .split(/\s+/)
    .filter(Boolean)
    .sort((a, b) => b.length - a.length);

/** Whether each word is somewhere in title or notes. */
export function hasWords({ title, description }: PageTask, words: string[]): boolean {
  const text = folded(`${title}\n${description ?? ''}`);
  return words.every((word) => text.includes(word));
}

/** As the server compares (CONTRACT 5): lower case, one Unicode form. */
const folded = (text: string): string => text.toLowerCase().normalize('NFC');
