import { watch } from 'node:fs';
import { join } from 'node:path';
import { type AppId, apps } from './machine/apps.ts';

/** An editor writes a file in several steps, and a checkout many files. */
const QUIET_MS = 100;

/**
 * Tells which services run other code once files of theirs have changed: those of a folder of `services/`, or all for
 * `shared/`. `root` holds both. What only tests read changes none.
 */
export function watchSources(root: string, onChange: (appIds: AppId[], file: string) => void): { close(): void } {
  const changed = new Set<AppId>();
  let timer: Timer | undefined;
  const watchFolder = (folder: string, appIds: AppId[]) =>
    watch(join(root, folder), { recursive: true }, (_event, name) => {
      if (name === null || !isRun(name)) return;
      for (const appId of appIds) changed.add(appId);
      clearTimeout(timer);
      timer = setTimeout(() => {
        onChange([...changed], `${folder}/${name}`);
        changed.clear();
      }, QUIET_MS);
    });
  const watchers = [
    ...apps.map(({ appId }) => watchFolder(`services/${appId}`, [appId])),
    watchFolder(
      'shared',
      apps.map(({ appId }) => appId),
    ),
  ];
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function isRun(name: string): boolean {
  return name.endsWith('.ts') && !name.endsWith('.test.ts') && !/\bfixtures?\b/.test(name);
}
