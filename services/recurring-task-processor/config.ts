import { baseConfig, configOrExit, t } from '#shared/config';

/** It has no API: it checks no login and no sidecar, so it does not get the secrets with which it could pass for one. */
const { JWT_SECRET, JWT_SECRET_PREVIOUS, APP_API_TOKEN, APP_API_TOKEN_PREVIOUS, ...base } = baseConfig;

/** The settings of the processor. */
export const schema = t.Object({
  ...base,
  PORT: t.Integer({ ...base.PORT, default: 8004 }),
  SERVICE_TOKEN: t.String({ minLength: 32, description: 'lets chat-api create instances, at least 32 characters' }),
  TICK_SECONDS: t.Integer({
    default: 300,
    minimum: 1,
    maximum: 3600,
    description: 'pause between two runs; instances exist 10 minutes before their reminder, so two fit',
  }),
});

/** Reads them; an environment that does not fit ends the process with exit code 2. */
export const readConfig = () => configOrExit(schema, Bun.env);
