import './require-bun.ts';
import { join } from 'node:path';
import { apps } from './apps.ts';
import { bun } from './command-line.ts';
import { processEnvironment } from './environment.ts';
import { Refusal } from './refusal.ts';
import { readRunning, stateFolder } from './state.ts';

// bun run ops <app-id> <command…>: what `kubectl exec deploy/<app-id> -- bun /app/ops.js <command…>` is in a cluster.

try {
  process.exit(await ops(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  process.exit(error instanceof Refusal ? 2 : 1);
}

/** Runs `services/<app-id>/ops.ts` with the settings that `up` gave this service. Answers its exit code. */
async function ops([name, ...command]: string[]): Promise<number> {
  const app = apps.find(({ appId }) => appId === name);
  const ids = apps.map(({ appId }) => appId).join(', ');
  if (!app) throw new Refusal(`usage: ${bun} run ops <app-id> <command>, with an app-id of ${ids}.`);
  const script = join(import.meta.dir, '..', app.appId, 'ops.ts');
  if (!(await Bun.file(script).exists())) throw new Refusal(`${app.appId} has no operators' commands.`);
  // Who asks is written to the log: the user at this terminal, not the one who started `up`.
  const operator = process.env.OPERATOR || process.env.USER;
  const settings = readRunning(stateFolder()).settings[app.appId];
  const child = Bun.spawn([process.execPath, '--no-env-file', script, ...command], {
    env: { ...processEnvironment(), ...settings, ...(operator ? { OPERATOR: operator } : {}) },
    stdio: ['inherit', 'inherit', 'inherit'],
  });
  return child.exited;
}
