import { baseConfig, callerConfig, configOrExit, longAnswerConfig, t } from '#shared/config';

/** The settings of the audit logger. */
export const schema = t.Object({
  ...baseConfig,
  ...callerConfig,
  ...longAnswerConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8003 }),
  AUDIT_SEAL_KEY: t.String({ minLength: 32, description: 'HMAC key of the trail, at least 32 characters' }),
  AUDIT_SEAL_KEY_PREVIOUS: t.String({
    default: '',
    pattern: '^$|^.{32,}$',
    description: 'still verified, never signs',
  }),
});

/** Reads them; an environment that does not fit ends the process with exit code 2. */
export const readConfig = () => configOrExit(schema, Bun.env);
