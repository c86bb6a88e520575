import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AppId, apps } from './machine/apps.ts';
import { eachLine } from './machine/child.ts';
import { processEnvironment } from './machine/environment.ts';
import { setAsideLong } from './machine/log-file.ts';
import { stateFolder } from './state/state.ts';

/** The services that have commands for operators. */
export const operable = apps.map(({ appId }) => appId).filter((appId) => existsSync(scriptOf(appId)));

/**
 * Runs `services/<app-id>/ops.ts`, which is `bun /app/ops.js` in a cluster, with the settings that `up` gave this service.
 * Answers its exit code. Its log goes to `logs/ops.log` in the state folder: a person has the sentences.
 */
export async function operate(
  appId: AppId,
  command: string[],
  { settings, stdout = 'inherit' }: { settings: Record<string, string>; stdout?: 'inherit' | 'ignore' },
): Promise<number> {
  const { OPERATOR = '' } = process.env; // of this terminal, not of the one where `up` was started
  const child = Bun.spawn([process.execPath, '--no-env-file', scriptOf(appId), ...command], {
    env: { ...processEnvironment(), ...settings, OPERATOR },
    stdio: ['inherit', stdout, 'pipe'],
  });
  await eachLine(child.stderr, (line) => (line.startsWith('{"time":') ? log(line) : console.error(line)));
  return child.exited;
}

function log(line: string): void {
  const path = join(stateFolder(), 'logs', 'ops.log');
  setAsideLong(path);
  appendFileSync(path, `${line}\n`, { mode: 0o600 });
}

function scriptOf(appId: AppId): string {
  return join(import.meta.dir, '..', appId, 'ops.ts');
}
