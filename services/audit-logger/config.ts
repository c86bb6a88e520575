import { Type as t } from '@sinclair/typebox';
import { apiConfig, baseConfig, longAnswerConfig } from '#shared/config';

/** The settings of the audit logger. */
export const schema = t.Object({
  ...baseConfig,
  ...apiConfig,
  ...longAnswerConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8003 }),
  AUDIT_SEAL_KEY: t.String({ minLength: 32, description: 'HMAC key of the trail, at least 32 characters' }),
  AUDIT_SEAL_KEY_PREVIOUS: t.String({
    default: '',
    pattern: '^$|^.{32,}$',
    description: 'still verified, never signs',
  }),
});

export type Config = typeof schema.static;
