import { describe, expect, test } from 'bun:test';
import type { NetworkInterfaceInfo } from 'node:os';
import { isOpen, localUrl, networkAddresses, publicUrl } from './address.ts';

const at = (address: string, internal = false) => ({ address, internal }) as NetworkInterfaceInfo;

describe('networkAddresses', () => {
  test('are those that others can ask for, IPv4 first', () => {
    const interfaces = {
      lo: [at('127.0.0.1', true), at('::1', true)],
      eth0: [at('fd00::2'), at('fe80::1'), at('192.0.2.2')],
      wlan0: [at('169.254.7.7'), at('198.51.100.3')],
    };
    expect(networkAddresses(interfaces)).toEqual(['192.0.2.2', '198.51.100.3', 'fd00::2']);
    expect(networkAddresses({})).toEqual([]);
  });
});

describe('publicUrl and localUrl', () => {
  const first = networkAddresses()[0] ?? 'localhost';
  test.each([
    ['127.0.0.1', 'http://localhost:8080', 'http://127.0.0.1:8080', false],
    ['192.0.2.2', 'http://192.0.2.2:8080', 'http://192.0.2.2:8080', true],
    ['fd00::2', 'http://[fd00::2]:8080', 'http://[fd00::2]:8080', true],
    ['0.0.0.0', `http://${first.includes(':') ? `[${first}]` : first}:8080`, 'http://127.0.0.1:8080', true],
  ])('of %s', (host, forPeople, forPrograms, open) => {
    const where = { host, port: 8080 };
    expect([publicUrl(where, ''), localUrl(where), isOpen(where)]).toEqual([forPeople, forPrograms, open]);
    expect(publicUrl(where, 'https://tasks.example')).toBe('https://tasks.example');
  });
});
