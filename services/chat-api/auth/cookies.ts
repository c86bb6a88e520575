import { SESSION_COOKIE } from '#shared/auth';

export const REFRESH_COOKIE = 'refresh_token';

export type Cookies = ReturnType<typeof createCookies>;

/**
 * The `Set-Cookie` headers of a login. Neither cookie is readable by scripts nor sent from other sites; the refresh
 * token goes to the routes of accounts only. `Secure` when the public URL is https (RFC 6265, 4.1).
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
  const refresh = (value: string, maxAge: number) =>
    new Bun.Cookie(REFRESH_COOKIE, value, { ...always, path: '/api/v1/auth', maxAge }).serialize();

  return {
    set: (token: string, refreshToken: string): string[] => [
      access(token, accessSeconds),
      refresh(refreshToken, refreshSeconds),
    ],
    clear: (): string[] => [access('', 0), refresh('', 0)],
  };
}
