import { BlockList, isIP } from 'node:net';
import type { Server } from 'bun';
import { Elysia } from 'elysia';
import type { Log } from './log.ts';

/** Whether an address belongs to a proxy of ours. `list`: addresses and subnets (`10.0.0.0/8`). @throws on anything else */
export function createTrust(list: string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const entry of list) {
    const [address = '', bits] = entry.split('/');
    const family = familyOf(address);
    if (family === null)
      throw new Error(`TRUSTED_PROXIES: expected an address or subnet, got ${JSON.stringify(entry)}`);
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== null && trusted.check(address, family);
  };
}

/** Remembers by which server each request came: only that tells the address of its socket. */
export const sockets = () =>
  new Elysia({ name: 'sockets' }).onRequest(({ request, server }) => void servers.set(request, server));

const servers = new WeakMap<Request, Server<unknown> | null>();

/** The address of a request's socket; empty for one that came by none. */
export const socketAddress = (request: Request): string => servers.get(request)?.requestIP(request)?.address ?? '';

/**
 * Who calls: the first hop from the right of `X-Forwarded-For` that is not a proxy of ours, starting at the socket's
 * own address (hops further left are whatever the caller wrote). When all are ours, the leftmost.
 */
export function clientAddress(
  request: Request,
  socketAddress: string,
  isTrusted: (address: string) => boolean,
): string {
  const forwarded = (request.headers.get('x-forwarded-for') ?? '').split(',');
  const hops = [...forwarded, socketAddress].map(bare).filter((hop) => hop !== '');
  return (hops.findLast((hop) => !isTrusted(hop)) ?? hops[0] ?? '').slice(0, LONGEST);
}

/**
 * `clientAddress`, and a warning once when that is the socket's own though people come through a proxy (the public URL
 * is https): the proxy sends no `X-Forwarded-For` or is not trusted, and all people share the limits of one address.
 */
export function createAddressOf(options: { isTrusted: (address: string) => boolean; publicUrl: string; log: Log }) {
  const { isTrusted, publicUrl, log } = options;
  let isWatching = publicUrl.startsWith('https:');
  return (request: Request, socketAddress: string): string => {
    const address = clientAddress(request, socketAddress, isTrusted);
    if (isWatching && address === bare(socketAddress)) {
      isWatching = false;
      log.warn('a request names no client: behind the proxy everybody counts as one address', {
        address,
        setting: 'TRUSTED_PROXIES',
      });
    }
    return address;
  };
}

/**
 * Whose an address is: of IPv6 the /64, which one household or server has as a whole (RFC 6177) and could else be a new
 * caller from with each request, or the network of as many `bits` (a multiple of 16). IPv4, and text that is no
 * address, as it stands.
 */
export function networkOf(address: string, bits = 64): string {
  if (isIP(address) !== 6) return address;
  const canonical = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = canonical.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, bits / 16).join(':')}::/${bits}`;
}

/** Longer than any address: bounds what a rate limit keeps of a header. */
const LONGEST = 45;

/** `::ffff:10.0.0.1` is 10.0.0.1 over a dual-stack socket; some proxies add a port. */
function bare(hop: string): string {
  const address = hop
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1').toLowerCase();
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}
