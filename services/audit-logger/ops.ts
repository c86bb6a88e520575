import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { schema } from './config.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops audit-logger …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'audit-logger',
  schema,
  groups: { dlq: deadLetterCommands('audit-logger') },
});
