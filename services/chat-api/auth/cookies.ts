import { cookieOf, sessionCookie } from '#shared/auth';
import type { Log } from '#shared/log';
import { isLoopback } from '#shared/loopback';
import type { Login } from './model.ts';

/** As long as browsers keep a cookie (RFC 6265bis, 5.5); how long it is good for is decided by its session's row. */
const DEVICE_SECONDS = 400 * 24 * 60 * 60;

export type Cookies = ReturnType<typeof createCookies>;

/**
 * The cookies of a login. None is readable by scripts or sent from other sites; the refresh token and what knows the
 * device again (OWASP calls it a device cookie) go to the routes of accounts only. `Secure` when the public URL is https,
 * and then under names that a browser takes from https alone (RFC 6265bis, 4.1.3).
 */
export function createCookies({
  publicUrl,
  accessSeconds,
  refreshSeconds,
}: {
  publicUrl: string;
  accessSeconds: number;
  refreshSeconds: number;
}) {
  const secure = publicUrl.startsWith('https:');
  const always = { httpOnly: true, sameSite: 'strict', secure } as const;
  const [refreshName, deviceName] = ['refresh_token', 'taskflow_device'].map((name) =>
    secure ? `__Secure-${name}` : name,
  ) as [string, string];
  const access = (value: string, maxAge: number) =>
    new Bun.Cookie(sessionCookie(publicUrl), value, { ...always, path: '/', maxAge }).serialize();
  const forAccounts = (name: string, value: string, maxAge: number) =>
    new Bun.Cookie(name, value, { ...always, path: '/api/v1/auth', maxAge }).serialize();

  return {
    /** The `Set-Cookie` headers of a login or refresh. */
    set: (token: string, { refreshToken, deviceToken }: Pick<Login, 'refreshToken' | 'deviceToken'>): string[] => [
      access(token, accessSeconds),
      forAccounts(refreshName, refreshToken, refreshSeconds),
      ...(deviceToken === null ? [] : [forAccounts(deviceName, deviceToken, DEVICE_SECONDS)]),
    ],
    /** Those of a logout. The device stays known. */
    clear: (): string[] => [access('', 0), forAccounts(refreshName, '', 0)],
    refreshToken: (request: Request): string | null => cookieOf(request, refreshName),
    deviceToken: (request: Request): string | null => cookieOf(request, deviceName),
  };
}

/** Cookies without `Secure` are for one's own machine (CONTRACT 3). */
export function warnOfPlainHttp(log: Log, publicUrl: string): void {
  if (!publicUrl.startsWith('http:')) return;
  const { hostname } = new URL(publicUrl);
  if (!isLoopback(hostname))
    log.warn('PUBLIC_URL is plain http: passwords and cookies travel unprotected', { hostname });
}
