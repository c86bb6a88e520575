import { watch } from 'node:fs';
import { join } from 'node:path';
import { type AppId, apps } from './machine/apps.ts';

/** An editor writes a file in several steps, and a checkout many files. */
const QUIET_MS = 100;

/** A service, or the gateway, which serves the page. */
export type Watched = AppId | 'gateway';

/**
 * Tells which services run other code once files of theirs have changed, and none has for `quietMs`: those of a folder of
 * `services/`, or all for `shared/`; for `services/web/`, of which the gateway serves the page, the gateway. `root` holds them all. What only tests read changes none.
 */
export function watchSources(
  root: string,
  onChange: (parts: Watched[], file: string) => void,
  quietMs = QUIET_MS,
): { close(): void } {
  const changed = new Set<Watched>();
  let timer: Timer | undefined;
  const watchFolder = (folder: string, parts: Watched[]) =>
    watch(join(root, folder), { recursive: true }, (_event, name) => {
      if (name === null || !isRun(name)) return;
      for (const part of parts) changed.add(part);
      clearTimeout(timer);
      timer = setTimeout(() => {
        onChange([...changed], `${folder}/${name}`);
        changed.clear();
      }, quietMs);
    });
  const watchers = [
    ...apps.map(({ appId }) => watchFolder(`services/${appId}`, [appId])),
    watchFolder('services/web', ['gateway']),
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
  return /\.(tsx?|css|html)$/.test(name) && !name.endsWith('.test.ts') && !/\bfixtures?\b/.test(name);
}
