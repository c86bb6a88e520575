const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * Keeps what this process sends to its own machine off the HTTP proxy of its environment. Without an exception Bun 1.4.5 sends
 * even 127.0.0.1 to that of HTTP_PROXY or ALL_PROXY, in the SDK of Dapr too: with the tokens for sidecar and services. It looks
 * at each request, at `no_proxy` first; other programs prefer the other spelling. To be called before the first request.
 */
export function bypassProxy(environment: Record<string, string | undefined>): void {
  const { no_proxy, NO_PROXY } = environment;
  environment.no_proxy = withLoopback(no_proxy || NO_PROXY);
  environment.NO_PROXY = withLoopback(NO_PROXY || no_proxy);
}

function withLoopback(names = ''): string {
  return [...new Set([...names.split(','), ...LOOPBACK])].filter((name) => name !== '').join(',');
}

/** Whether a name or address, as URLs have it or without brackets, is this machine's own (RFC 6761, 6.3; RFC 6890). */
export const isLoopback = (name: string): boolean => /^((.+\.)?localhost\.?|127(\.\d+){3}|\[?::1\]?)$/.test(name);
