import { baseConfig, callerConfig, configOrExit, t } from '#shared/config';

/** The settings of the reminder service. */
export const schema = t.Object({
  ...baseConfig,
  ...callerConfig,
  PORT: t.Integer({ ...baseConfig.PORT, default: 8002 }),
});

/** Reads them; an environment that does not fit ends the process with exit code 2. */
export const readConfig = () => configOrExit(schema, Bun.env);
