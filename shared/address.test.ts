import { describe, expect, test } from 'bun:test';
import { createLog } from '#shared/log';
import { clientAddress, createAddressOf, createTrust, networkOf } from './address.ts';

const isTrusted = createTrust(['127.0.0.0/8', '::1', '10.0.0.0/8', '2001:db8::/32']);
const addressOf = (forwarded: string | null, socket: string) =>
  clientAddress(
    new Request('http://localhost', { headers: forwarded === null ? {} : { 'x-forwarded-for': forwarded } }),
    socket,
    isTrusted,
  );

describe('clientAddress', () => {
  test.each([
    ['the socket without the header', null, '192.0.2.1', '192.0.2.1'],
    ['the socket when it is no proxy of ours, whatever the header says', '198.51.100.7', '192.0.2.1', '192.0.2.1'],
    ['the hop that our proxy saw', '198.51.100.7', '127.0.0.1', '198.51.100.7'],
    ['the first from the right that is not ours', '1.2.3.4, 198.51.100.7, 10.1.2.3', '127.0.0.1', '198.51.100.7'],
    ['the leftmost when all are ours', '10.0.0.1, 10.0.0.2', '127.0.0.1', '10.0.0.1'],
    ['an IPv4 address over IPv6', '::ffff:198.51.100.7', '::ffff:127.0.0.1', '198.51.100.7'],
    ['an address without its port', '198.51.100.7:4711', '::1', '198.51.100.7'],
    ['an IPv6 address without brackets and port', '[2001:DB9::7]:4711, 2001:db8::1', '::1', '2001:db9::7'],
    ['text that is no address as it stands', 'unknown', '127.0.0.1', 'unknown'],
    ['nothing without a socket', null, '', ''],
  ])('is %s', (_name, forwarded, socket, expected) => {
    expect(addressOf(forwarded, socket)).toBe(expected);
  });

  test('is never longer than an address', () => {
    expect(addressOf('x'.repeat(10_000), '127.0.0.1')).toHaveLength(45);
  });
});

test('createTrust names the entry that is no address', () => {
  expect(() => createTrust(['10.0.0.0/8', 'proxy.local'])).toThrow('proxy.local');
});

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['192.0.2.1', '192.0.2.1'],
  ['unknown', 'unknown'],
  ['', ''],
])('networkOf %s is %s', (address, network) => expect(networkOf(address)).toBe(network));

test('networkOf widens an IPv6 network to the bits that are asked for', () => {
  expect(networkOf('2001:db8:1:2::1', 48)).toBe('2001:db8:1::/48');
  expect(networkOf('::1', 48)).toBe('0:0:0::/48');
  expect(networkOf('192.0.2.1', 48)).toBe('192.0.2.1');
});

describe('createAddressOf', () => {
  function setUp(publicUrl: string) {
    const lines: string[] = [];
    const log = createLog('test', { write: (line) => lines.push(line) });
    const addressOf = createAddressOf({ isTrusted, publicUrl, log });
    const from = (socket: string, headers: Record<string, string> = {}) =>
      addressOf(new Request('http://localhost', { headers }), socket);
    return { lines, from };
  }

  test.each([
    ['has no X-Forwarded-For', '127.0.0.1', {}],
    ['comes from a proxy that is not trusted', '192.0.2.1', { 'x-forwarded-for': '198.51.100.7' }],
    ['names only our own gateway', '::ffff:127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
  ])('warns once where the public URL is https and a request %s', (_name, socket, headers) => {
    const { lines, from } = setUp('https://tasks.example');
    for (let i = 0; i < 3; i++) from(socket, headers as Record<string, string>);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 'warn', setting: 'TRUSTED_PROXIES' }),
    ]);
  });

  test('warns of nothing where the client is named, or people come without a proxy', () => {
    const proxied = setUp('https://tasks.example');
    expect(proxied.from('127.0.0.1', { 'x-forwarded-for': '198.51.100.7' })).toBe('198.51.100.7');
    const plain = setUp('http://localhost:8080');
    expect(plain.from('192.0.2.1')).toBe('192.0.2.1');
    expect([...proxied.lines, ...plain.lines]).toEqual([]);
  });
});
