import { cp, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildSite } from './web/build.ts';

// bun services/bundle.ts <app-id> <folder>: what an image of that service holds in /app. Run by services/Dockerfile.

const root = join(import.meta.dir, '..');

/**
 * Bundles a service into `folder`: `main.js`, `ops.js` where it has commands, and with chat-api the migration of the schema that
 * it was built for, `migrate.js` and its SQL; with web the page, in `site`. Nothing is minified: a stack trace in a log names lines that can be found.
 */
export async function bundle(appId: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const entries = ['main', 'ops'].map((name) => ({ name, path: join(root, 'services', appId, `${name}.ts`) }));
  if (appId === 'chat-api') {
    entries.push({ name: 'hasher', path: join(root, 'services/chat-api/auth/hasher.ts') }); // a thread of its own
    entries.push({ name: 'migrate', path: join(root, 'db/job.ts') });
    for (const file of ['migrations', 'grants.sql', 'grants-phase5.sql'])
      await cp(join(root, 'db', file), join(folder, file), {
        recursive: true,
        filter: (path) => !path.endsWith('.down.sql'),
      });
  }
  if (appId === 'web') for (const [path, text] of await buildSite()) await Bun.write(join(folder, 'site', path), text);
  for (const { name, path } of entries) {
    if (name === 'ops' && !(await Bun.file(path).exists())) continue;
    await Bun.build({ entrypoints: [path], root, outdir: folder, naming: `${name}.js`, target: 'bun' });
  }
}

if (import.meta.main) {
  const [appId, folder] = process.argv.slice(2);
  if (!appId || !folder || !(await Bun.file(join(root, 'services', appId, 'main.ts')).exists())) {
    console.error('usage: bun services/bundle.ts <app-id> <folder>');
    process.exit(2);
  }
  await bundle(appId, resolve(folder));
}
