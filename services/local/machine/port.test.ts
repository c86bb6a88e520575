import { expect, test } from 'bun:test';
import { freePorts, isFree } from './port.ts';

test('gives free ports, each once, none that an outgoing connection may take meanwhile', () => {
  const ports = [...freePorts(50), ...freePorts(50)];
  expect(new Set(ports).size).toBe(100);
  expect(ports.filter((port) => !isFree(port))).toEqual([]);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

test('passes over a port that is taken', () => {
  const [port = 0] = freePorts(1);
  const taken = Bun.listen({ hostname: '127.0.0.1', port: port + 1, socket: { data() {} } });
  expect(freePorts(3)).not.toContain(port + 1);
  taken.stop(true);
});
