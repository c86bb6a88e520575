import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apps } from './machine/apps.ts';
import { eventually } from '../../test/support/wait.ts';
import { watchSources } from './watch.ts';

const opened: { close(): void }[] = [];
afterEach(() => opened.splice(0).forEach((each) => each.close()));

/** A watched tree of empty services, and what was told of it. */
function watched(quietMs = 100) {
  const root = mkdtempSync(join(tmpdir(), 'taskflow-watch-'));
  for (const { appId } of apps) mkdirSync(join(root, 'services', appId, 'stream'), { recursive: true });
  for (const folder of ['shared', 'services/web/page']) mkdirSync(join(root, folder), { recursive: true });
  const told: { appIds: string[]; file: string }[] = [];
  opened.push(watchSources(root, (appIds, file) => told.push({ appIds, file }), quietMs));
  opened.push({ close: () => rmSync(root, { recursive: true }) });
  return { told, write: (file: string) => Bun.write(join(root, file), 'export {};') };
}

describe('watchSources', () => {
  test('names the one service whose file changed, however deep', async () => {
    const { told, write } = watched();
    await write('services/notification-service/stream/index.ts');
    await eventually(() => told.length > 0);
    expect(told).toEqual([{ appIds: ['notification-service'], file: 'services/notification-service/stream/index.ts' }]);
  });

  test('names all for a file of shared/', async () => {
    const { told, write } = watched();
    await write('shared/events.ts');
    await eventually(() => told.length > 0);
    expect(told).toEqual([{ appIds: apps.map(({ appId }) => appId), file: 'shared/events.ts' }]);
  });

  test.each(['site.ts', 'page/row.tsx', 'page/style.css', 'page/index.html'])(
    'names the gateway for %s of the page',
    async (name) => {
      const { told, write } = watched();
      await write(`services/web/${name}`);
      await eventually(() => told.length > 0);
      expect(told).toEqual([{ appIds: ['gateway'], file: `services/web/${name}` }]);
    },
  );

  test('names those of several files once, and nothing for what only tests read', async () => {
    const { told, write } = watched(2000); // all five are written within that
    for (const name of ['index.test.ts', 'fixture.ts', 'notes.md']) await write(`services/reminder-service/${name}`);
    await write('services/audit-logger/app.ts');
    await write('services/audit-logger/events.ts');
    await write('services/chat-api/app.ts');
    await eventually(() => told.length > 0);
    expect(told.map(({ appIds }) => appIds)).toEqual([['audit-logger', 'chat-api']]);
  });
});
