import { Type as t } from '@sinclair/typebox';
import { apiConfig, baseConfig, longAnswerConfig } from '#shared/config';

/** The settings of chat-api. */
export const schema = t.Object({
  ...baseConfig,
  ...apiConfig,
  ...longAnswerConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8000 }),
  EVENTS: t.Union([t.Literal('on'), t.Literal('standby'), t.Literal('off')], {
    default: 'on',
    description: 'on; standby publishes nothing; off is Phase IV',
  }),
  EVENTS_FILE: t.String({
    default: '',
    description: 'a file that says on or standby beside EVENTS=on, followed while the service runs (Downward API)',
  }),
  SIGNUP: t.Union([t.Literal('open'), t.Literal('invite'), t.Literal('closed')], {
    default: 'open',
    description: 'who may sign up: open, invite (with a code of `users invite`) or closed',
  }),
  ADMIN_EMAILS: t.String({
    default: '',
    description:
      'accounts that become admin when they log in, if an invitation (`users invite`) made them; others: `users admin`',
  }),
  ACCESS_TOKEN_SECONDS: t.Integer({ default: 86_400, minimum: 1, description: 'life of an access token, in seconds' }),
  REFRESH_TOKEN_SECONDS: t.Integer({
    default: 2_592_000,
    minimum: 1,
    description: 'life of an unused refresh token, in seconds (30 days)',
  }),
  LOGIN_FAILURES: t.Integer({
    default: 10,
    minimum: 1,
    description:
      'failed logins of an account from one network in 5 minutes, and attempts of one session to change the password',
  }),
  ACCOUNT_FAILURES: t.Integer({
    default: 100,
    minimum: 1,
    description:
      'failed logins of an account from all networks in 5 minutes; a low number lets strangers lock people out',
  }),
  ADDRESS_ATTEMPTS: t.Integer({
    default: 60,
    minimum: 1,
    description: 'sign-ups and failed logins of one address in a minute',
  }),
  ADDRESS_LOGINS: t.Integer({
    default: 300,
    minimum: 1,
    description:
      'logins, sign-ups and changes of a password of one address in a minute, those that succeed too; an office shares one, and 300 hashes take a fifth of two cores',
  }),
  ADDRESS_REFRESHES: t.Integer({
    default: 600,
    minimum: 1,
    description: 'refreshes of one address in a minute, those that succeed too; each writes rows, and costs no hash',
  }),
  TASKS_PER_USER: t.Integer({
    default: 100_000,
    minimum: 1,
    description: 'tasks of one user, a series as one; 100,000 of the longest are 2 GB',
  }),
  API_TOKENS_PER_USER: t.Integer({ default: 100, minimum: 1, description: 'valid API tokens of one user' }),
  SERVICE_TOKEN: t.String({
    default: '',
    pattern: '^$|^.{32,}$',
    description: 'what the recurring-task-processor shows; empty: no service may call',
  }),
  SERVICE_TOKEN_PREVIOUS: t.String({ default: '', pattern: '^$|^.{32,}$', description: 'still accepted' }),
});

export type Config = typeof schema.static;
