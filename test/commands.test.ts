import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { runToEnd } from './support/command.ts';

const root = join(import.meta.dir, '..');
const { scripts } = (await Bun.file(join(root, 'package.json')).json()) as { scripts: Record<string, string> };

/** The command of package.json without what goes before (the check of Bun's version, the installation). */
function run(name: string, ...args: string[]) {
  const words = scripts[name]?.split(' && ').at(-1)?.split(' ') ?? [];
  const command = words.slice(words.indexOf('bun') + 1);
  return runToEnd([process.execPath, ...command, ...args], { PATH: process.env.PATH ?? '' }, { cwd: root });
}

/** Without those that are Bun's own and answer as Bun does. */
const names = Object.keys(scripts).filter((name) => !scripts[name]?.endsWith('--no-script'));

describe.each(names)('bun run %s', (name) => {
  test('--help and -h say what it takes, and nothing else happens', async () => {
    const [long, short] = await Promise.all([run(name, '--help'), run(name, '-h')]);
    const usage = name === 'seed' ? 'users seed --users <count>' : ` run ${name}`; // that of the command it is
    expect(long).toEqual({ out: expect.stringContaining(usage), err: '', exitCode: 0 });
    expect(short).toEqual(long);
  });
});

describe('what means nothing is refused in one sentence', () => {
  test.each([
    ...names
      .filter((name) => name !== 'seed')
      .map((name) => [name, '--nonsense', "Unknown option '--nonsense'"] as const),
    ['up', 'all', "Unexpected argument 'all'"],
    ['demo', 'nowhere', 'nowhere is no address such as http://localhost:8080'],
    ['check', 'chekc', 'No test file has chekc in its path'],
    ['ops', 'chat', 'chat is no service with commands for operators'],
    ['bench', 'everything', 'There is no benchmark everything'],
    ['drills', 'everything', 'There is no drill everything'],
  ])('bun run %s %s', async (name, word, why) => {
    const { out, err, exitCode } = await run(name, word);
    expect({ out, lines: err.trim().split('\n'), exitCode }).toEqual({
      out: '',
      lines: [expect.stringMatching(new RegExp(`^${why}: .* --help`))],
      exitCode: 2,
    });
  });
});
