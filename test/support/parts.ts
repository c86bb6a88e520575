import type { Static, TObject } from '@sinclair/typebox';
import { type ApiConfig, type BaseConfig, readConfig } from '#shared/config';
import type { Pool } from '#shared/db';
import type { AppId, Parts } from '#shared/frame';
import { createLog, type Log } from '#shared/log';
import { createMetrics } from '#shared/metrics';

/** Signs the access tokens of tests, and is every other secret that a service wants of 32 characters. */
export const SECRET = 'a secret of the tests, 32 characters';

const settings = {
  DATABASE_URL: 'postgres://unused',
  HOST: '127.0.0.1',
  JWT_SECRET: SECRET,
  SERVICE_TOKEN: SECRET,
  AUDIT_SEAL_KEY: SECRET,
  REQUESTS_PER_SECOND: '100000',
  REQUESTS_BURST: '100000',
  ADDRESS_REFUSALS: '100000',
};

/** What `openService` would open for an app, in this process: the defaults of its settings, and a log that nobody reads. */
export function partsOf<S extends TObject>(
  appId: AppId,
  schema: S,
  {
    sql,
    changed = {},
    log = createLog(appId, { write: () => {} }),
  }: { sql: Pool; changed?: Record<string, string>; log?: Log },
): Parts<Static<S> & BaseConfig & ApiConfig> {
  return {
    appId,
    version: '0.0.0',
    config: readConfig(schema, { ...settings, ...changed }) as Static<S> & BaseConfig & ApiConfig,
    sql,
    log,
    metrics: createMetrics(appId, { version: '0.0.0', commit: 'test' }),
    ready: { database: () => sql`select 1` },
    degraded: {},
  };
}
