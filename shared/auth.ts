import { Elysia } from 'elysia';
import { errors, jwtVerify } from 'jose';
import { isOneOf, showsAppToken } from './app-token.ts';
import type { Caller, Callers } from './callers.ts';
import { isUuid } from './correlation.ts';
import { ApiError } from './errors.ts';
import { createRecent } from './rate-limit.ts';
import type { LiveSession, Scope, SessionLookup } from './sessions.ts';

/** Who makes a request: a person, one of their API tokens, or another service of ours. */
export interface Principal extends Caller {
  email: string;
  role: 'admin' | null;
  /** The session; empty for a service. */
  sid: string;
  /** When the credential ends; null: by revocation only. */
  exp: Date | null;
  /** Of an API token. */
  name: string | null;
  /** Of an API token; null: everything the person may do. */
  scopes: Scope[] | null;
}

/** What an access token says; `exp` in seconds since 1970. */
type Claims = { sub: string; sid: string; exp: number };

export type Authenticator = ReturnType<typeof createAuthenticator>;

/**
 * Name of the cookie that a same-origin EventSource sends, since it cannot send headers. With https it has the prefix
 * for which a browser takes it from this very host alone (RFC 6265bis, 4.1.3.2): no sibling domain can plant one.
 */
export const sessionCookie = (publicUrl: string): string =>
  publicUrl.startsWith('https:') ? '__Host-taskflow_session' : 'taskflow_session';
/** How API tokens begin, so that people and scanners recognise them. */
export const API_TOKEN_PREFIX = 'tf_';

/** Together the second within which a revoked session is refused everywhere (CONTRACT 3): how long its row is remembered, */
const SESSION_CACHE_MS = 900;
/** and how long what was found for one request is: its body may be long in coming. */
const ANSWER_MS = 100;
const SESSION_CACHE_SIZE = 10_000;

/** `kid` of an access token: names the secret that signed it without telling anything about it. */
export const keyId = (secret: string): string => sha256(secret).toString('hex').slice(0, 8);

/** How opaque tokens are stored. */
export const sha256 = (text: string): Buffer => new Bun.CryptoHasher('sha256').update(text).digest() as Buffer;

/**
 * Checks Bearer headers, API tokens and the session cookie against the live sessions, with a cache of at most one second.
 * `secrets`: the one that signs first, then those still verified. A service token is honoured only together with one of
 * the sidecar's `appTokens`, so it works through the sidecar and nowhere else; without an app token not at all.
 */
export function createAuthenticator({
  lookup,
  secrets,
  serviceTokens = [],
  appTokens = [],
  publicUrl = '',
  sessionUsed = () => {},
  callers,
  now = Date.now,
}: {
  lookup: SessionLookup;
  secrets: string[];
  serviceTokens?: string[];
  appTokens?: string[];
  publicUrl?: string;
  /** Told of a session or API token when it is used: at most once a second for each. */
  sessionUsed?: (sid: string) => void;
  /** Bounds what is done for one of them. */
  callers?: Callers;
  now?: () => number;
}) {
  const keys = secrets
    .filter((secret) => secret !== '')
    .map((secret) => ({ kid: keyId(secret), key: new TextEncoder().encode(secret) }));
  /** A signature is checked once, which takes 29 µs of CPU and another thread; time and session are checked always. */
  const verified = createRecent<Claims>(SESSION_CACHE_SIZE);
  const sessions = new Map<string, { at: number; row: Promise<LiveSession | undefined> }>();

  function session(by: string, load: () => Promise<LiveSession | undefined>): Promise<LiveSession | undefined> {
    const known = sessions.get(by);
    if (known && now() - known.at < SESSION_CACHE_MS) return known.row;
    if (sessions.size >= SESSION_CACHE_SIZE) sessions.clear();
    const entry = { at: now(), row: load() };
    sessions.set(by, entry);
    entry.row.then((row) => row && sessionUsed(row.id)).catch(() => sessions.delete(by)); // a failed look is not remembered
    return entry.row;
  }

  async function claimsOf(token: string): Promise<Claims> {
    const known = verified.get(token);
    if (known && known.exp * 1000 > now()) return known;
    const claims = await verify(token, keys, now());
    verified.set(token, claims);
    return claims;
  }

  async function byAccessToken(token: string): Promise<Principal> {
    const { sub, sid, exp } = await claimsOf(token);
    const row = await session(sid, () => lookup.byId(sid));
    if (!row || row.user_id !== sub || row.kind !== 'login')
      throw unauthorized('INVALID_TOKEN', 'This session has ended. Please log in again.');
    return principalOf(row, 'user', new Date(exp * 1000));
  }

  async function byApiToken(request: Request, token: string): Promise<Principal> {
    const hash = sha256(token);
    const key = `token ${hash.toString('hex')}`;
    const look = () => lookup.byTokenHash(hash);
    const row = await session(key, callers ? () => callers.lookUp(request, key, look) : look);
    if (!row) throw unauthorized('INVALID_TOKEN', 'This token is unknown, revoked or expired.');
    return principalOf(row, 'token', row.expires_at);
  }

  async function countedCaller(request: Request): Promise<Principal> {
    const principal = await whoCalls(request);
    if (!counted.has(request)) callers?.countRequest(principal);
    counted.add(request);
    return principal;
  }

  async function whoCalls(request: Request): Promise<Principal> {
    const { token, from } = credentialOf(request, publicUrl);
    if (from === 'cookie') {
      requireSameOrigin(request, publicUrl);
      return byAccessToken(token);
    }
    if (isOneOf(serviceTokens, token) && showsAppToken(request, appTokens)) {
      return { type: 'service', userId: '', email: '', role: null, sid: '', exp: null, name: null, scopes: null };
    }
    return token.startsWith(API_TOKEN_PREFIX) ? byApiToken(request, token) : byAccessToken(token);
  }

  /** Asked before a body is read, and again by the route. */
  let answers = new WeakMap<Request, { at: number; principal: Promise<Principal> }>();
  const counted = new WeakSet<Request>();
  /** A request takes one place, however often it is asked about. */
  const entries = new WeakMap<Request, Promise<void> | null>();

  function authenticate(request: Request): Promise<Principal> {
    const known = answers.get(request);
    if (known && now() - known.at < ANSWER_MS) return known.principal;
    const answer = { at: now(), principal: countedCaller(request) };
    answers.set(request, answer);
    return answer.principal;
  }

  return {
    /**
     * Who makes a request, at this moment: to be asked again whenever time has passed. One request is counted once.
     * @throws {ApiError} 401 with the code of CONTRACT 4; 429 when the caller asks too much; 403 for a cookie on a state-changing request from elsewhere
     */
    authenticate,

    /**
     * As `authenticate`, and waits for a place among the requests of this user: for routes, when the body is there. A session
     * may have ended while it waited.
     * @throws {ApiError} also 503 when the request was answered so meanwhile
     */
    async enter(request: Request): Promise<Principal> {
      const principal = await authenticate(request);
      if (!entries.has(request)) entries.set(request, callers?.takePlace(request, principal) ?? null);
      const entry = entries.get(request);
      if (!entry) return principal;
      await entry;
      return authenticate(request);
    },

    /** The claims of an access token, checked by signature and time only. @throws {ApiError} 401 */
    verify: claimsOf,

    /** Drops what is remembered, so that this process refuses at once what was just revoked. */
    forget(): void {
      sessions.clear();
      answers = new WeakMap();
    },
  };
}

/** Derives `principal`; who is not logged in learns nothing about bodies, and `admission` has had none of it read. */
export const authenticated = (authenticator: Authenticator) =>
  new Elysia().derive({ as: 'scoped' }, async ({ request }) => ({
    principal: await authenticator.enter(request),
  }));

/** @throws {ApiError} 403 unless this principal may do it: people may, API tokens within their scopes, services never */
export function permit(principal: Principal, scope: Scope): void {
  if (principal.type === 'user' || principal.scopes?.includes(scope)) return;
  throw new ApiError(403, 'INSUFFICIENT_SCOPE', `This needs the scope ${scope}.`);
}

const principalOf = (row: LiveSession, type: 'user' | 'token', exp: Date | null): Principal => ({
  type,
  userId: row.user_id,
  email: row.email,
  role: row.role,
  sid: row.id,
  exp,
  name: row.name,
  scopes: type === 'token' ? (row.scopes ?? []) : null,
});

/**
 * Verifies with jose, the library inside `@elysiajs/jwt`: the plugin's own `verify` answers only `false`, and CONTRACT 4
 * gives each failure its code. HS256 only (RFC 8725, 3.1: the caller fixes the algorithm).
 */
async function verify(token: string, keys: { kid: string; key: Uint8Array }[], nowMs: number): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => (keys.find((known) => known.kid === kid) ?? keys[0])?.key ?? new Uint8Array(32),
      {
        algorithms: ['HS256'],
        requiredClaims: ['sub', 'exp', 'sid'],
        currentDate: new Date(nowMs),
      },
    );
    const { sub, sid, exp } = payload;
    if (sub === undefined || exp === undefined || typeof sid !== 'string' || !isUuid(sub) || !isUuid(sid)) {
      throw unauthorized('INVALID_TOKEN_CLAIMS', 'The token lacks a claim that it needs.');
    }
    return { sub, sid, exp };
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw unauthorized('TOKEN_EXPIRED', 'The token has expired. Please refresh it or log in again.');
    if (error instanceof errors.JWSSignatureVerificationFailed)
      throw unauthorized('INVALID_SIGNATURE', 'The signature of the token is not ours.');
    if (error instanceof errors.JWTClaimValidationFailed)
      throw unauthorized('INVALID_TOKEN_CLAIMS', 'The token lacks a claim that it needs.');
    if (error instanceof ApiError) throw error;
    throw unauthorized('INVALID_TOKEN', 'This is not an access token.');
  }
}

/**
 * What a request shows of itself: the Bearer token, or without one the session cookie. Credentials of another scheme are
 * meant for the proxy in front that asked for them, so beside them the cookie counts too.
 * @throws {ApiError} 401 `MISSING_AUTH_HEADER` or `INVALID_AUTH_FORMAT`
 */
export function credentialOf(request: Request, publicUrl: string): { token: string; from: 'header' | 'cookie' } {
  const header = request.headers.get('authorization');
  // One space or more, and no tab (RFC 9110, 11.4); the scheme in any case.
  const [, token] = /^Bearer +(\S+)$/i.exec(header ?? '') ?? [];
  if (token !== undefined) return { token, from: 'header' };
  const isBearer = /^Bearer(?!\S)/i.test(header ?? '');
  const cookie = isBearer ? null : cookieOf(request, sessionCookie(publicUrl));
  if (cookie !== null) return { token: cookie, from: 'cookie' };
  throw header === null
    ? unauthorized('MISSING_AUTH_HEADER', 'Send an Authorization header: Bearer <token>.')
    : unauthorized('INVALID_AUTH_FORMAT', 'The Authorization header must read: Bearer <token>.');
}

/**
 * Cookies travel by themselves, so a change made with one must come from our own pages (CONTRACT 3).
 * @throws {ApiError} 403 unless the request only reads or its `Origin` is ours
 */
export function requireSameOrigin(request: Request, publicUrl: string): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const origin = request.headers.get('origin') ?? '';
  // Not `X-Forwarded-Host`, which anybody can say: behind a proxy that asks by another name PUBLIC_URL tells ours.
  const host = request.headers.get('host');
  const ours = URL.parse(publicUrl);
  // Of the public name the scheme counts too; other names, such as 127.0.0.1 beside localhost, must be the request's own.
  const isOwnName = host !== ours?.host && URL.parse(origin)?.host === host && host !== '';
  const isOurs = origin === ours?.origin || isOwnName;
  if (!isOurs)
    throw new ApiError(
      403,
      'ORIGIN_MISMATCH',
      'A request with a cookie must come from our own origin; send a Bearer header instead.',
    );
}

/** The value of a cookie, or null; of several with this name none, since one of them may be planted (RFC 6265, 8.6). */
export function cookieOf(request: Request, name: string): string | null {
  const cookies = [...new Bun.CookieMap(request.headers.get('cookie') ?? '')].filter(([other]) => other === name);
  return cookies.length === 1 ? (cookies[0]?.[1] ?? null) : null;
}

const unauthorized = (code: string, message: string) =>
  new ApiError(401, code, message, { headers: { 'www-authenticate': 'Bearer' } });
