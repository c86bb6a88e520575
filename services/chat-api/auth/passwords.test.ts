import { describe, expect, test } from 'bun:test';
import { jwtVerify, SignJWT } from 'jose';
import { createPasswords, NOBODY, passwordProblem } from './passwords.ts';

const SECRET = new TextEncoder().encode('a secret of at least thirty-two characters');
const ASKING = { address: '198.51.100.1', isKnown: false };

describe('createPasswords', () => {
  test('keeps no token waiting, whose check is made on a thread of Bun’s pool', async () => {
    const { verify } = createPasswords();
    await verify('U*U', CHEAP, ASKING); // starts its thread
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(SECRET);
    const ended: string[] = [];
    const hashes = Array.from({ length: 4 }, () =>
      verify('Sunny-Day-42', NOBODY, ASKING).then(() => ended.push('hash')),
    );
    await jwtVerify(token, SECRET);
    ended.push('token');
    await Promise.all(hashes);
    expect(ended).toEqual(['token', 'hash', 'hash', 'hash', 'hash']);
  });

  test('says why what is no hash cannot be compared', async () => {
    const failure = createPasswords().verify('U*U', 'no hash', ASKING);
    expect(await failure.catch(String)).toContain('InvalidEncoding');
  });

  test('makes bcrypt hashes of cost 10, and NOBODY costs the same', async () => {
    const hash = await createPasswords().hash('Sunny-Day-42', ASKING);
    expect(hash).toMatch(/^\$2b\$10\$/);
    expect(NOBODY.slice(0, 7)).toBe(hash.slice(0, 7));
    expect(await createPasswords().verify('Sunny-Day-42', hash, ASKING)).toBe(true);
    expect(await createPasswords().verify('Sunny-Day-43', hash, ASKING)).toBe(false);
  });

  test('verifies what Phase IV’s bcrypt wrote', async () => {
    expect(await createPasswords().verify('U*U', CHEAP, ASKING)).toBe(true);
  });
});

/** A reference vector of crypt_blowfish, which Phase IV's library wraps: "U*U" at cost 5. */
const CHEAP = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

test('passwordProblem counts characters, bytes, capitals and digits', () => {
  expect(['Abcdef-1', 'Ünïcode7É', `A1${'x'.repeat(70)}`].map(passwordProblem)).toEqual([null, null, null]);
  const bad = ['Abcde-1', 'abcdefg1', 'Abcdefgh', `A1${'x'.repeat(71)}`, `A${'é'.repeat(35)}12`];
  for (const password of bad) expect(passwordProblem(password)).toBeString();
});

describe('a password that many people have', () => {
  test.each([
    'Password1',
    'PASSWORD123',
    'Welcome2024!',
    'Qwerty123',
    'P@ssw0rd',
    'Letmein1!!',
    'Berlin1990',
    'Trustno1',
  ])('%s is refused, in any case and with what people append', (password) =>
    expect(passwordProblem(password)).toContain('common'),
  );

  test.each(['Sunny-Day-42', 'Password-of-Anna-1', 'Mustang7Xk!q', 'Dragon48213977', 'xK9mQ2vLr', 'Passwort-Tresor-1'])(
    '%s, which is merely similar, is taken',
    (password) => expect(passwordProblem(password)).toBeNull(),
  );
});
