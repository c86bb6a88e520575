import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { schema } from './config.ts';
import { changes } from './ops/change-commands.ts';
import { outbox } from './ops/outbox-commands.ts';
import { users } from './ops/user-commands.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops chat-api …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'chat-api',
  schema,
  publishes: ({ EVENTS }) => EVENTS !== 'off',
  groups: { users, outbox, changes, dlq: deadLetterCommands('chat-api') },
});
