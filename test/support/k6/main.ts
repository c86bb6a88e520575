import { resolve } from 'node:path';
import { bypassProxy } from '#shared/loopback';
import { bun, commandOrExit } from '../../../services/local/machine/command-line.ts';
import { exitCodes, K6Error, runScript } from './run.ts';

// bun run k6 run [-e NAME=value …] [--quiet] script.ts: the scripts of k6/ where k6 itself is not installed, as `k6 run` does.

bypassProxy(process.env);
const { values, words } = commandOrExit({
  name: 'k6',
  usage: `${bun} run k6 run [-e NAME=value …] [--quiet] <script>

  runs a script of k6/ where Grafana k6 is not installed: what stands in for it knows what
  these scripts use of it, and refuses all else

  -e NAME=value  a setting of the script, before that of the environment
  --quiet        say nothing but the summary

The exit code is 0, ${exitCodes.thresholds} when a threshold failed, and ${exitCodes.options} or ${exitCodes.script} when the script does not start.`,
  flags: { env: { type: 'string', short: 'e', multiple: true }, quiet: { type: 'boolean' } },
  refuse: (word, index) => {
    if (index === 0) return word === 'run' ? undefined : `There is no command ${word}`;
    return index === 1 ? undefined : `One script is enough, and ${word} is another`;
  },
});
const say = (line: string) => console.warn(line);
const { env = [], quiet: isQuiet = false } = values;
const given = Object.fromEntries(env.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]));
process.on('unhandledRejection', (error) => say(`Uncaught (in promise) ${Bun.inspect(error)}`));
process.exit(await run(words[1] ?? ''));

/** Answers the exit code. */
async function run(script: string): Promise<number> {
  try {
    const outcome = await runScript(resolve(script), {
      env: { ...process.env, ...given } as Record<string, string>,
      say: isQuiet ? () => {} : say,
    });
    for (const [name, text] of Object.entries(outcome.outputs)) {
      if (name === 'stdout') process.stdout.write(text);
      else await Bun.write(name, text);
    }
    return outcome.exitCode;
  } catch (error) {
    if (!(error instanceof K6Error)) throw error;
    say(error.message);
    return error.exitCode;
  }
}
