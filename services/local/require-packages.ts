import './require-bun.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bun } from './machine/command-line.ts';

// For commands that install nothing themselves. A process of its own, since imports are found before any of them runs.
if (!existsSync(join(import.meta.dir, '../../node_modules'))) {
  console.error(`Nothing is installed here yet: \`${bun} run up\` does it.`);
  process.exit(2);
}
