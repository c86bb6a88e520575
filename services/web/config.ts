import { Type as t } from '@sinclair/typebox';
import { baseConfig } from '#shared/config';

const { HOST, PORT, LOG_LEVEL, VERSION_COMMIT } = baseConfig;

/** The settings of the page's server: it has no database, no sidecar and no secret. */
export const schema = t.Object({ HOST, PORT: t.Integer({ ...PORT, default: 8005 }), LOG_LEVEL, VERSION_COMMIT });
