import { jwt } from '@elysiajs/jwt';
import { Elysia, t } from 'elysia';
import { socketAddress } from '#shared/address';
import {
  type Authenticator,
  authenticated,
  credentialOf,
  keyId,
  type Principal,
  requireSameOrigin,
} from '#shared/auth';
import { isUuid } from '#shared/correlation';
import type { Pool } from '#shared/db';
import { ApiError, refusedAs } from '#shared/errors';
import type { Cookies } from './cookies.ts';
import { normalized } from './email.ts';
import type { Limits } from './limits.ts';
import * as model from './model.ts';
import { familyOf } from './refresh-tokens.ts';
import { type Accounts, refuseTooLong } from './service.ts';
import { createApiToken, listApiTokens, revokeApiToken } from './tokens.ts';
import { deviceName } from './user-agent.ts';

interface AuthDeps {
  sql: Pool;
  accounts: Accounts;
  authenticator: Authenticator;
  limits: Limits;
  cookies: Cookies;
  /** The client's address, given that of its socket. */
  addressOf: (request: Request, socketAddress: string) => string;
  apiTokensPerUser: number;
  jwtSecret: string;
  accessSeconds: number;
  publicUrl: string;
}

const tags = ['Accounts'];
const open = { tags, security: [] };

/** Accounts: for who has no access token yet, or no longer. */
export const loginRoutes = ({ accounts, limits, cookies, addressOf, publicUrl, ...signing }: AuthDeps) =>
  new Elysia({ prefix: '/api/v1/auth' })
    .use(accessTokens(signing))
    .derive(({ request }) => {
      const address = addressOf(request, socketAddress(request));
      return { address, caller: { address, isKnown: false, device: deviceName(request.headers.get('user-agent')) } };
    })
    .post(
      '/signup',
      async ({ body, caller, jwt, set }) => {
        limits.signUp(caller.address);
        const login = await accounts.signUp(body, caller);
        const token = await jwt.sign(claims(login, signing.accessSeconds));
        set.headers['set-cookie'] = cookies.set(token, login);
        set.status = 201;
        return { user: login.user, token, refresh_token: login.refreshToken, message: 'Welcome to TaskFlow.' };
      },
      {
        transform: refusedAs('SIGNUP_ERROR'),
        body: model.signupBody,
        response: { 201: model.loginAnswer },
        detail: { ...open, summary: 'Sign up' },
      },
    )
    .post(
      '/login',
      async ({ body, address, caller, jwt, request, set }) => {
        const email = normalized(body.email);
        refuseTooLong({ email, password: body.password });
        const device = await accounts.knownDevice(email, cookies.deviceToken(request));
        const login = await limits.logIn({ address, email, device }, () =>
          accounts.logIn(body, { ...caller, isKnown: device !== null }),
        );
        const token = await jwt.sign(claims(login, signing.accessSeconds));
        set.headers['set-cookie'] = cookies.set(token, login);
        return { user: login.user, token, refresh_token: login.refreshToken, message: 'Logged in.' };
      },
      { body: model.loginBody, response: { 200: model.loginAnswer }, detail: { ...open, summary: 'Log in' } },
    )
    .post(
      '/refresh',
      async ({ body, address, jwt, request, set }) => {
        const given = body?.refresh_token || null;
        const refreshToken = given ?? refreshCookie(request, cookies, publicUrl);
        if (!refreshToken)
          throw new ApiError(401, 'NO_REFRESH_TOKEN', 'Send refresh_token in the body or as a cookie.');
        const family = familyOf(refreshToken);
        const login = await limits.refresh({ address, family }, () => accounts.refresh(refreshToken));
        const token = await jwt.sign(claims(login, signing.accessSeconds));
        set.headers['set-cookie'] = cookies.set(token, login);
        // What came out of reach of scripts stays there.
        return { token, ...(given && { refresh_token: login.refreshToken }), message: 'Token refreshed.' };
      },
      {
        body: model.refreshBody,
        response: { 200: model.refreshAnswer },
        detail: {
          ...open,
          summary: 'Exchange a refresh token',
          description: 'Each token works once; its child replaces it.',
        },
      },
    )
    .post(
      '/password/reset',
      async ({ body, address, caller }) => {
        await limits.resetPassword(address, () => accounts.resetPassword(body, caller));
        return { status: 'success', message: 'The password is changed and all sessions are ended. Please log in.' };
      },
      {
        transform: refusedAs('PASSWORD_ERROR'),
        body: model.resetBody,
        response: { 200: model.done },
        detail: { ...open, summary: 'Set a password with a code of `users reset-password`' },
      },
    );

/** Accounts: for who is logged in. An API token may ask who it is and nothing else. */
export const authRoutes = ({
  sql,
  accounts,
  authenticator,
  limits,
  cookies,
  addressOf,
  publicUrl,
  apiTokensPerUser,
}: AuthDeps) =>
  new Elysia({ prefix: '/api/v1/auth' })
    .get('/me', ({ request }) => me(request, { authenticator, accounts, publicUrl }), {
      response: { 200: model.me },
      detail: { tags, summary: 'Who I am' },
    })
    .use(authenticated(authenticator))
    .post(
      '/logout',
      async ({ principal, set }) => {
        const { userId, sid } = personal(principal);
        await accounts.logOut(userId, sid);
        authenticator.forget();
        set.headers['set-cookie'] = cookies.clear();
        return { status: 'success', message: 'Logged out.' };
      },
      { response: { 200: model.done }, detail: { tags, summary: 'End this session' } },
    )
    .put(
      '/password',
      async ({ principal, body, request }) => {
        const { userId, sid } = personal(principal);
        const address = addressOf(request, socketAddress(request));
        limits.changePassword({ address, sid });
        await accounts.changePassword({ userId, sid }, body, { address, isKnown: true });
        authenticator.forget();
        return { status: 'success', message: 'The password is changed; all other sessions and API tokens are ended.' };
      },
      {
        transform: refusedAs('PASSWORD_ERROR'),
        body: model.passwordBody,
        response: { 200: model.done },
        detail: { tags, summary: 'Change the password' },
      },
    )
    .get(
      '/sessions',
      ({ principal }) => {
        const { userId, sid } = personal(principal);
        return accounts.sessions(userId, sid);
      },
      { response: { 200: t.Array(model.session) }, detail: { tags, summary: 'My sessions, newest first' } },
    )
    .delete(
      '/sessions/:id',
      async ({ principal, params, set }) => {
        const { userId, sid } = personal(principal);
        await accounts.endSession(userId, params.id);
        authenticator.forget();
        if (params.id === sid) set.headers['set-cookie'] = cookies.clear();
        set.status = 204;
      },
      { detail: { tags, summary: 'End one of my sessions', responses: { 204: { description: 'Ended' } } } },
    )
    .get('/tokens', ({ principal }) => listApiTokens(sql, personal(principal).userId), {
      response: { 200: t.Array(model.apiToken) },
      detail: { tags, summary: 'My API tokens' },
    })
    .post(
      '/tokens',
      ({ principal, body, set }) => {
        set.status = 201;
        return createApiToken(sql, { ...personal(principal), limit: apiTokensPerUser }, body);
      },
      { body: model.newToken, response: { 201: model.createdToken }, detail: { tags, summary: 'Make an API token' } },
    )
    .delete(
      '/tokens/:id',
      async ({ principal, params, set }) => {
        const { userId } = personal(principal);
        if (!isUuid(params.id) || !(await revokeApiToken(sql, userId, params.id))) {
          throw new ApiError(404, 'TOKEN_NOT_FOUND', 'You have no such API token.');
        }
        authenticator.forget();
        set.status = 204;
      },
      { detail: { tags, summary: 'Revoke an API token', responses: { 204: { description: 'Revoked' } } } },
    );

/** `jwt.sign` under the current secret. `kid` lets both secrets verify while one replaces the other. */
const accessTokens = ({ jwtSecret }: Pick<AuthDeps, 'jwtSecret'>) =>
  jwt({ name: 'jwt', secret: jwtSecret, alg: 'HS256', kid: keyId(jwtSecret) });

const claims = ({ user, role, sid }: model.Login, accessSeconds: number) => ({
  sub: user.id,
  email: user.email,
  sid,
  ...(role !== null && { role }),
  exp: Math.floor(Date.now() / 1000) + accessSeconds,
});

/** 404 when the token is good and its user is gone; whatever else is wrong with it is 401 (CONTRACT 4). */
async function me(
  request: Request,
  { authenticator, accounts, publicUrl }: Pick<AuthDeps, 'authenticator' | 'accounts' | 'publicUrl'>,
): Promise<model.Me> {
  try {
    const { userId } = knownUser(await authenticator.authenticate(request));
    return (await accounts.findUser(userId)) ?? userNotFound();
  } catch (error) {
    const isEnded = error instanceof ApiError && error.code === 'INVALID_TOKEN';
    if (!isEnded) throw error;
    const { sub } = await authenticator.verify(credentialOf(request, publicUrl).token);
    if (!(await accounts.findUser(sub))) userNotFound();
    throw error;
  }
}

function userNotFound(): never {
  throw new ApiError(404, 'USER_NOT_FOUND', 'This account is gone.');
}

function knownUser(principal: Principal): Principal {
  if (principal.type !== 'service') return principal;
  throw new ApiError(403, 'INSUFFICIENT_SCOPE', 'A service is not a user.');
}

/** Sessions, passwords and tokens are for the person alone: a token cannot make tokens. */
function personal(principal: Principal): Principal {
  if (principal.type === 'user') return principal;
  throw new ApiError(403, 'INSUFFICIENT_SCOPE', 'This needs a login; an API token may not do it.');
}

function refreshCookie(request: Request, cookies: Cookies, publicUrl: string): string | null {
  const cookie = cookies.refreshToken(request);
  if (cookie) requireSameOrigin(request, publicUrl);
  return cookie;
}
