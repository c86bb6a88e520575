import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { schema } from './config.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops notification-service …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'notification-service',
  schema,
  groups: { dlq: deadLetterCommands('notification-service') },
});
