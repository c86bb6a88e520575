import { Type } from '@sinclair/typebox';
import { t } from 'elysia';

const userFields = { id: t.String(), email: t.String(), created_at: t.String() };
export const user = t.Object(userFields);
export const me = t.Object({ ...userFields, role: t.Optional(t.Literal('admin')) });
export type Me = typeof me.static;

export const signupBody = t.Object({
  email: t.String(),
  password: t.String({
    description: 'at least 8 characters, one upper-case letter, one digit, at most 72 bytes, none of the most common',
  }),
  timezone: t.Optional(t.String({ description: 'IANA name, such as Europe/Berlin' })),
  invite_code: t.Optional(t.String({ description: 'printed by `users invite`, where sign-up is by invitation' })),
});
export type Signup = typeof signupBody.static;

export const loginBody = t.Object({ email: t.String(), password: t.String() });

export const loginAnswer = t.Object({
  user,
  token: t.String(),
  refresh_token: t.String(),
  message: t.String(),
});

export const refreshBody = t.MaybeEmpty(
  t.Object({
    refresh_token: t.Optional(t.Union([t.String(), t.Null()], { description: 'or the cookie of that name' })),
  }),
);
export const refreshAnswer = t.Object({
  token: t.String(),
  refresh_token: t.Optional(t.String({ description: 'unless the one exchanged came as a cookie' })),
  message: t.String(),
});

export const passwordBody = t.Object({ current: t.String(), new: t.String() });
export const resetBody = t.Object({ code: t.String(), new: t.String() });

export const done = t.Object({ status: t.String(), message: t.String() });

const scope = t.Union([
  t.Literal('tasks:read'),
  t.Literal('tasks:write'),
  t.Literal('notifications:read'),
  t.Literal('audit:read'),
]);

export const newToken = t.Object({
  name: t.String({ description: '1 to 100 characters in one line' }),
  scopes: t.Array(scope, { minItems: 1, maxItems: 4, uniqueItems: true }),
  // TypeBox's own: Elysia's takes "5" too.
  expires_in_days: t.Optional(t.Union([Type.Integer({ minimum: 1, maximum: 3650 }), t.Null()])),
});
export type NewToken = typeof newToken.static;

const nullableTime = t.Union([t.String(), t.Null()]);
const tokenFields = {
  id: t.String(),
  name: t.String(),
  scopes: t.Array(t.String()),
  created_at: t.String(),
  expires_at: nullableTime,
  last_used_at: nullableTime,
};
export const apiToken = t.Object(tokenFields);
export type ApiToken = typeof apiToken.static;
export const createdToken = t.Object({ ...tokenFields, token: t.String({ description: 'shown this once' }) });

export const session = t.Object({
  id: t.String(),
  device: t.Union([t.String(), t.Null()], { description: 'such as Firefox on Linux; null: it did not say' }),
  address: t.Union([t.String(), t.Null()], { description: 'that it was opened from; of IPv6 the network' }),
  created_at: t.String(),
  last_used_at: t.String({ description: 'to the minute, by a call or a refresh' }),
  expires_at: t.String({ description: 'unless it is refreshed before' }),
  current: t.Boolean({ description: 'whether it is the one that asks' }),
});
export type Session = typeof session.static;

/** Who has logged in, and what proves it from now on. */
export interface Login {
  user: User;
  role: 'admin' | null;
  sid: string;
  /** Shown once; we keep its SHA-256. */
  refreshToken: string;
  /** As the refresh token; null where the device has one already, or the schema is that of Phase IV. */
  deviceToken: string | null;
}

/** As Phase IV answers it. */
export interface User {
  id: string;
  email: string;
  created_at: string;
}
