import { connect } from '#shared/db';
import { deadLetterCommands } from '#shared/dead-letters';
import { runCommand } from '#shared/ops';
import { readConfig } from './config.ts';
import { changes } from './ops/change-commands.ts';
import { outbox } from './ops/outbox-commands.ts';
import { users } from './ops/user-commands.ts';

// Operators' commands: `bun /app/ops.js <group> <command> …` in the image, `bun run ops chat-api …` locally.

process.exitCode = await runCommand(process.argv.slice(2), {
  appId: 'chat-api',
  groups: { users, outbox, changes, dlq: deadLetterCommands('chat-api') },
  open() {
    const config = readConfig();
    const publishes = config.EVENTS !== 'off';
    return { config, sql: connect(config.DATABASE_URL, { name: 'chat-api ops', max: 2, publishes }) };
  },
});
