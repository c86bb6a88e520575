import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { schema } from './config.ts';
import { changes } from './ops/changes.ts';
import { outbox } from './ops/outbox.ts';
import { users } from './ops/users.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops chat-api …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'chat-api',
  schema,
  publishes: ({ EVENTS }) => EVENTS !== 'off',
  groups: { users, outbox, changes, dlq: deadLetterCommands('chat-api') },
});
