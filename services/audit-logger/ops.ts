import { connect } from '#shared/db';
import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { readConfig } from './config.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops audit-logger …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'audit-logger',
  groups: { dlq: deadLetterCommands('audit-logger') },
  open() {
    const config = readConfig();
    return { config, sql: connect(config.DATABASE_URL, { name: 'audit-logger ops', max: 2 }) };
  },
});
