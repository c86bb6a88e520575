import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { FieldError } from './field.ts';
import { atMost, isLonger, isPiledUp, isVisible } from './text.ts';

/** What takes part in a text and shows nothing by itself. */
const INVISIBLE = [
  ...[' ', '\t', '\n', '\u0085', '\u00a0', '\u2003', '\u3000', '\ufeff'], // blanks
  ...['\u200b', '\u200c', '\u200d', '\u200e', '\u2060', '\u2066', '\u00ad', '\u034f', '\u061c', '\u180e'], // joiners, directions
  ...['\u115f', '\u1160', '\u3164', '\uffa0', '\u17b5', '\u2800'], // fillers of Hangul and Khmer, Braille without dots
  ...['\ufe0f', '\u{e0100}', '\u180b'], // variation selectors
  ...['\u{e0001}', '\u{e0061}', '\u{e007f}'], // tags
  ...['\u0007', '\u001b', '\u007f', '\u009f'], // controls
];

const WORDS = [
  'a',
  '.',
  '0',
  '👨‍👩‍👧‍👦',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '🇩🇪',
  '1️⃣',
  '❤️',
  'می‌خواهم',
  'क्‍ष',
  'e\u0301',
  '\u0301',
  '한국',
  '\u1112\u1161\u11ab',
  '𝔘',
  '漢󠄁',
  '\ue000',
  '\u{1fffd}',
];

describe('isVisible', () => {
  test.each(WORDS)('is true of %j', (word) => expect(isVisible(word)).toBe(true));

  test.each(['', ...INVISIBLE])('is false of %j', (character) => expect(isVisible(character)).toBe(false));

  test('needs one character that shows, wherever it stands', () => {
    const nothing = fc.array(fc.constantFrom(...INVISIBLE)).map((characters) => characters.join(''));
    fc.assert(
      fc.property(nothing, fc.constantFrom(...WORDS), nothing, (before, word, after) => {
        expect(isVisible(before + after)).toBe(false);
        expect(isVisible(before + word + after)).toBe(true);
      }),
    );
  });
});

describe('atMost', () => {
  test('counts code points, as PostgreSQL does', () => {
    for (const character of ['a', 'é', '漢', '😀']) {
      expect(atMost(5, character.repeat(5), 'name')).toBe(character.repeat(5));
      expect(() => atMost(5, character.repeat(6), 'name')).toThrow(new FieldError('name', 'at most 5 characters'));
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, limit) => {
        expect(isLonger(text, limit)).toBe(Array.from(text).length > limit);
      }),
    );
  });
});

describe('isPiledUp', () => {
  test('is true of more than 30 combining marks in a row', () => {
    expect(isPiledUp(`a${'\u0301\u0323'.repeat(15)}`)).toBe(false);
    expect(isPiledUp(`a${'\u0301\u0323'.repeat(15)}\u0301`)).toBe(true);
    expect(isPiledUp(`${'e\u0301'.repeat(100)}`)).toBe(false);
  });

  test.each(['\u0300', '\u{e0100}', '\u0301\u{1d165}'])('is so wherever they stand: %j', (mark) => {
    const marks = (count: number) => [...mark.repeat(count)].slice(0, count).join('');
    for (let before = 0; before < 70; before++) {
      const piled = (count: number) => isPiledUp(`${'x'.repeat(before)}${marks(count)}é${marks(30)}`);
      expect([before, piled(30), piled(31)]).toEqual([before, false, true]);
    }
  });
});
