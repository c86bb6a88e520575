import { Type as t } from '@sinclair/typebox';
import { baseConfig } from '#shared/config';

/** The settings of the processor. It has no API: no login and no sidecar calls it, so it holds none of their secrets. */
export const schema = t.Object({
  ...baseConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8004 }),
  DATABASE_POOL: t.Integer({ ...baseConfig.DATABASE_POOL, default: 2, description: 'connections; a run uses one' }),
  SERVICE_TOKEN: t.String({ minLength: 32, description: 'lets chat-api create instances, at least 32 characters' }),
  TICK_SECONDS: t.Integer({
    default: 300,
    minimum: 1,
    maximum: 3600,
    description: 'pause between two runs; instances exist 10 minutes before their reminder, so two fit',
  }),
});

export type Config = typeof schema.static;
