import { Type as t } from '@sinclair/typebox';
import { apiConfig, baseConfig } from '#shared/config';

/** The settings of the reminder service. */
export const schema = t.Object({
  ...baseConfig,
  ...apiConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8002 }),
});

export type Config = typeof schema.static;
