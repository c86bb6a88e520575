import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { emailProblem, normalized } from './email.ts';

/** Letters that change more than their case when they are lowered or composed, among any others. */
const telling = fc.constantFrom(
  ...['İ', 'I', 'ı', 'i\u0307', 'Σ', 'σ', 'ς', 'ẞ', 'ß', '\u212a', '\u212b', 'Å', 'A\u030a', 'é', 'e\u0301', 'E\u0301'],
  ...[
    'J\u030c',
    'ǰ',
    'Ϊ\u0301',
    'ΐ',
    'ᾼ',
    'ǅ',
    '한',
    '\u1112\u1161\u11ab',
    '\u0344',
    '\u0345',
    '\u0301\u0323',
    '\u0323\u0301',
  ],
);
const emails = fc
  .array(fc.oneof(telling, fc.string({ unit: 'binary', maxLength: 1 })), { maxLength: 12 })
  .map((letters) => letters.join(''));

describe('normalized', () => {
  test('is one for upper and lower case, and for composed and decomposed letters', () => {
    const forms = ['CAFÉ@EXÄMPLE.COM', 'cafe\u0301@exa\u0308mple.com', ' Cafe\u0301@Exämple.com\n'];
    for (const form of forms) expect(normalized(form)).toBe('café@exämple.com');
    for (const form of ['ΑΣ@X.GR', 'ας@x.gr', 'ασ@x.gr']) expect(normalized(form)).toBe('ασ@x.gr');
    fc.assert(
      fc.property(emails, (email) => {
        const form = normalized(email);
        for (const same of [
          email.normalize('NFC'),
          email.normalize('NFD'),
          email.toLowerCase(),
          ` ${email}\t`,
          email.replaceAll('ς', 'Σ'),
        ])
          expect(normalized(same)).toBe(form);
      }),
      { numRuns: 2000 },
    );
  });

  test('changes nothing of what it gave', () => {
    fc.assert(
      fc.property(emails, (email) => {
        expect(normalized(normalized(email))).toBe(normalized(email));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('emailProblem', () => {
  test.each(['a@b.c', '用户@例え.jp', '😀@example.com'])('has none with %s', (email) => {
    expect(emailProblem(email)).toBeNull();
  });

  test.each(['', 'a', '@b.c', 'a@b', 'a@b.', 'a b@c.d', 'a@b@c.d', 'a\u200b@b.c', 'a\u3164@b.c', 'a\ufe0f@b.c'])(
    'names it for %j',
    (email) => {
      expect(emailProblem(email)).toContain('not an email address');
    },
  );

  test('counts characters, not UTF-16 units', () => {
    expect(emailProblem(`${'😀'.repeat(242)}@example.com`)).toBeNull();
    expect(emailProblem(`${'x'.repeat(243)}@example.com`)).toContain('at most 254 characters');
  });
});
