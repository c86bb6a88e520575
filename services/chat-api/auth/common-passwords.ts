import passwords from '@zxcvbn-ts/language-common/src/passwords.json' with { type: 'json' };

/**
 * 49,233 passwords that many people have, in lower case, from public leaks (zxcvbn-ts, MIT). 35 ms and 10 MB at start;
 * what the package exports takes twice that (measured), since it unpacks dictionaries that we do not need.
 */
const COMMON: ReadonlySet<string> = new Set<string>(passwords);

/**
 * Whether a guesser tries this password early: one of the list in any case, also with up to five digits or `!` behind,
 * which is how people answer a rule that wants them. Not one that merely contains such a word.
 */
export function isCommon(password: string): boolean {
  const plain = password.toLowerCase();
  return COMMON.has(plain) || COMMON.has(plain.replace(/[\d!]{1,5}$/, ''));
}
