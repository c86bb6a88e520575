import { FormatRegistry, type Static, type TObject, Type as t } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { bypassProxy } from './loopback.ts';

/** A refused environment: one line for each key, saying what was expected and what was there. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Whether it is a URL of PostgreSQL of which each part can be decoded: a bare % is no code, and %E4 alone is no UTF-8. */
export function isDatabaseUrl(text: string): boolean {
  try {
    return /^postgres(ql)?:\/\//.test(decodeURIComponent(text));
  } catch {
    return false;
  }
}
FormatRegistry.Set('database-url', isDatabaseUrl);

/**
 * The keys that every service reads. Spread into the service's own `t.Object({ ...baseConfig, … })`, with TypeBox's `t`: that
 * of Elysia would leave numbers as the text they came as.
 */
export const baseConfig = {
  HOST: t.String({ default: '0.0.0.0', description: 'address to listen on; `up` uses loopback only' }),
  PORT: t.Integer({ minimum: 0, maximum: 65_535, description: 'port to listen on' }),
  DATABASE_URL: t.String({
    format: 'database-url',
    description: 'postgres://role:password@host:port/database, of a role of its own; a % in it is written %25',
  }),
  DATABASE_POOL: t.Integer({
    default: 16,
    minimum: 2,
    maximum: 200,
    description: 'connections; 16 measured best for creates',
  }),
  DAPR_HTTP_PORT: t.Integer({
    default: 3500,
    minimum: 1,
    maximum: 65_535,
    description: "the sidecar's HTTP port on loopback",
  }),
  DAPR_API_TOKEN: t.String({ default: '', description: 'token this service shows to its sidecar' }),
  LOG_LEVEL: t.Union([t.Literal('debug'), t.Literal('info'), t.Literal('warn'), t.Literal('error')], {
    default: 'info',
    description: 'debug, info, warn or error',
  }),
  PUBLIC_URL: t.String({
    default: '',
    pattern: '^$|^https?://',
    description: 'where people reach this; https makes cookies Secure, and `up` answers under no other name',
  }),
  CORS_ORIGINS: t.String({ default: '', description: 'origins, comma separated, that may call with credentials' }),
  DRAIN_MS: t.Integer({
    default: 15_000,
    minimum: 0,
    maximum: 60_000,
    description: 'time over which a stop spreads the ends of streams',
  }),
  DELIVERY_DRAIN_MS: t.Integer({
    default: 5000,
    minimum: 0,
    maximum: 60_000,
    description: 'deliveries answered after SIGTERM, so that a sidecar stopping at the same time ends clean',
  }),
  OPERATOR: t.String({ default: '', description: 'who runs ops, for its log, beside the name of the system account' }),
  VERSION_COMMIT: t.String({
    default: 'unknown',
    description: 'commit this was built from, for /health and taskflow_build_info',
  }),
};

/** Of services that people and programs call: by what they know who calls, and how much they do for one of them. */
export const apiConfig = {
  APP_API_TOKEN: t.String({
    default: '',
    description: 'token the sidecar must show to this service; empty: none asked, and no service token is honoured',
  }),
  APP_API_TOKEN_PREVIOUS: t.String({ default: '', description: 'still accepted from the sidecar' }),
  JWT_SECRET: t.String({ minLength: 32, description: 'HS256 key of access tokens, at least 32 characters' }),
  JWT_SECRET_PREVIOUS: t.String({ default: '', pattern: '^$|^.{32,}$', description: 'still verified, never signs' }),
  TRUSTED_PROXIES: t.String({
    default: '127.0.0.0/8,::1',
    description: 'addresses and subnets whose X-Forwarded-For is believed, comma separated',
  }),
  REQUESTS_PER_SECOND: t.Integer({
    default: 200,
    minimum: 1,
    description: 'requests of one user, all sessions and tokens together; at 1 ms each a fifth of a core',
  }),
  REQUESTS_BURST: t.Integer({
    default: 1000,
    minimum: 1,
    description: 'how many of them may come at once, as when a program begins',
  }),
  REQUESTS_AT_ONCE: t.Integer({
    default: 2,
    minimum: 1,
    description:
      'requests of one user that are worked on at once, while the others wait; always fewer than half of DATABASE_POOL',
  }),
  ADDRESS_REFUSALS: t.Integer({
    default: 300,
    minimum: 1,
    description: 'unknown API tokens that one address may show in a minute; each costs a look into the database',
  }),
};

export type BaseConfig = Static<TObject<typeof baseConfig>>;
export type ApiConfig = Static<TObject<typeof apiConfig>>;

/** Of services whose answers may be longer than what they hold in memory. */
export const longAnswerConfig = {
  LONG_ANSWERS_PER_USER: t.Integer({
    default: 4,
    minimum: 1,
    description: 'answers of more than 256 KiB that one user may be reading at once, in each replica',
  }),
};

/**
 * Reads the environment once: defaults applied, numbers converted, frozen. Unknown keys are dropped.
 * @throws {ConfigError} naming each bad key, what was expected and what was got (secrets are not printed)
 */
export function readConfig<T extends TObject>(schema: T, env: Record<string, string | undefined>): Readonly<Static<T>> {
  const given = Object.fromEntries(Object.keys(schema.properties).map((key) => [key, env[key] || undefined]));
  const value = Value.Convert(schema, Value.Default(schema, Value.Clean(schema, given)));
  const errors = [...Value.Errors(schema, value)];
  if (errors.length > 0) {
    const byKey = new Map(errors.map((error) => [error.path.slice(1).split('/')[0] ?? '', error]));
    throw new ConfigError(
      [...byKey]
        .map(([key, error]) => `${key}: ${expectation(error.schema, error.message)}, got ${shown(key, env[key])}`)
        .join('\n'),
    );
  }
  return Object.freeze(value as Static<T>);
}

/**
 * Reads the configuration of a service or ends the process with exit code 2 and one line for each bad key. From here on no call
 * to the own sidecar goes through a proxy of that environment.
 */
export function configOrExit<T extends TObject>(schema: T, env = Bun.env): Readonly<Static<T>> {
  bypassProxy(env);
  try {
    return readConfig(schema, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.message.split('\n')) console.error(`configuration: ${line}`);
    process.exit(2);
  }
}

/** A comma-separated setting as a list without empty entries. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

function expectation(schema: { description?: string }, message: string): string {
  return schema.description ? `${message} (${schema.description})` : message;
}

const SECRET = /SECRET|TOKEN|KEY|PASSWORD|DATABASE_URL/;

function shown(key: string, value: string | undefined): string {
  if (value === undefined || value === '') return 'nothing';
  return SECRET.test(key) ? `a value of ${value.length} characters` : JSON.stringify(value);
}
