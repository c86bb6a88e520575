import { connect } from '#shared/db';
import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { readConfig } from './config.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops reminder-service …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'reminder-service',
  groups: { dlq: deadLetterCommands('reminder-service') },
  open() {
    const config = readConfig();
    return { config, sql: connect(config.DATABASE_URL, { name: 'reminder-service ops', max: 2 }) };
  },
});
