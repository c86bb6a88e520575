import type { AppId } from '../../services/local/machine/apps.ts';
import { runToEnd } from './command.ts';
import type { RunningStack } from './stack.ts';

/** An operator's command as it is run: a process of its own beside the service. */
export async function operate(
  stack: Pick<RunningStack, 'secrets' | 'database' | 'ports'>,
  appId: AppId,
  words: string[],
  settings: Record<string, string> = {},
) {
  const { JWT_SECRET, APP_API_TOKEN, AUDIT_SEAL_KEY } = stack.secrets;
  const environment = {
    DATABASE_URL: stack.database.url(appId),
    PORT: String(stack.ports[appId]),
    OPERATOR: 'olga',
    JWT_SECRET,
    APP_API_TOKEN,
    AUDIT_SEAL_KEY,
    ...settings,
  };
  return runToEnd([process.execPath, `${import.meta.dir}/../../services/${appId}/ops.ts`, ...words], environment);
}
