/** A year, in seconds: how long a browser that came by https comes by https alone (RFC 6797, 6.1.1). */
const HSTS_SECONDS = 31_536_000;

/**
 * What every answer carries unless its route says otherwise: nobody keeps it (it may hold tokens and what is private),
 * and no browser takes it for another type than it says. With an https `PUBLIC_URL` also HSTS, for that name alone: of the
 * names below it we know nothing.
 */
export const defaultHeaders = (publicUrl: string): Record<string, string> => ({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  ...(publicUrl.startsWith('https:') && { 'strict-transport-security': `max-age=${HSTS_SECONDS}` }),
});
