import { SESSION_COOKIE } from '#shared/auth';
import type { Login } from './sessions.ts';

export const REFRESH_COOKIE = 'refresh_token';
export const DEVICE_COOKIE = 'taskflow_device';

/** As long as browsers keep a cookie (RFC 6265bis, 5.5); how long it is good for is decided by its session's row. */
const DEVICE_SECONDS = 400 * 24 * 60 * 60;

export type Cookies = ReturnType<typeof createCookies>;

/**
 * The `Set-Cookie` headers of a login. No cookie is readable by scripts or sent from other sites; the refresh token
 * and what knows the device again (OWASP calls it a device cookie) go to the routes of accounts only. `Secure` when the public URL is https (RFC 6265, 4.1).
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
  const always = { httpOnly: true, sameSite: 'strict', secure: publicUrl.startsWith('https:') } as const;
  const access = (value: string, maxAge: number) =>
    new Bun.Cookie(SESSION_COOKIE, value, { ...always, path: '/', maxAge }).serialize();
  const forAccounts = (name: string, value: string, maxAge: number) =>
    new Bun.Cookie(name, value, { ...always, path: '/api/v1/auth', maxAge }).serialize();

  return {
    set: (token: string, { refreshToken, deviceToken }: Pick<Login, 'refreshToken' | 'deviceToken'>): string[] => [
      access(token, accessSeconds),
      forAccounts(REFRESH_COOKIE, refreshToken, refreshSeconds),
      ...(deviceToken === null ? [] : [forAccounts(DEVICE_COOKIE, deviceToken, DEVICE_SECONDS)]),
    ],
    /** The device stays known. */
    clear: (): string[] => [access('', 0), forAccounts(REFRESH_COOKIE, '', 0)],
  };
}
