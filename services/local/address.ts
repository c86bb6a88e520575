import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLoopback } from '#shared/loopback';

type Where = { host: string; port: number };

/**
 * By which others in the network reach this machine, IPv4 first. Without what holds for one link alone, where each address in a
 * browser would have to name the link (RFC 4007, 11).
 */
export function networkAddresses(interfaces = networkInterfaces()): string[] {
  const all = Object.values(interfaces).flatMap((addresses = []) => addresses);
  const others = all.filter(({ internal, address }) => !internal && !/^(fe[89ab]|169\.254\.)/i.test(address));
  return others.sort((a, b) => Number(isIPv6(a.address)) - Number(isIPv6(b.address))).map(({ address }) => address);
}

/** Whether it listens on all addresses of this machine. */
const isEvery = (host: string): boolean => ['0.0.0.0', '::'].includes(host);

/** Whether others in the network reach it. */
export const isOpen = ({ host }: Pick<Where, 'host'>): boolean => !isLoopback(host);

/** Where people reach it: that of `PUBLIC_URL`, else the one address, or the first of the network. */
export function publicUrl({ host, port }: Where, given = process.env.PUBLIC_URL): string {
  if (given) return given;
  const [first = host] = isEvery(host) ? networkAddresses() : [];
  return isOpen({ host }) && !isEvery(first) ? urlOf(first, port) : `http://localhost:${port}`;
}

/** Where programs on this machine reach it. */
export const localUrl = ({ host, port }: Where): string => urlOf(isEvery(host) ? '127.0.0.1' : host, port);

const urlOf = (address: string, port: number): string => `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
