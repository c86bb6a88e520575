import { spawnCommand, type Child } from '../machine/child.ts';
import { processEnvironment } from '../machine/environment.ts';

// Small and quick to start rather than fast in the long run: C1 alone, the simplest collector.
const flags = [
  ...['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  // Said on standard output otherwise: what the archive of classes could not hold, and that another JVM wrote it.
  ...['-Xlog:disable', '-Xlog:all=error:stderr', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'],
];

/** A program of Kafka's jars. Its lines go to `onLine`; SIGTERM, and SIGKILL after 10 s, at `stop`. */
export function startJava(
  jars: string,
  program: string[],
  { more = [], onLine }: { more?: string[]; onLine: (line: string) => void },
): Child {
  const command = ['java', ...flags, ...more, '-cp', `${jars}/*`, ...program];
  // In the C locale a JVM cannot open a path that is not ASCII.
  const environment = { ...processEnvironment(), LC_ALL: 'C.UTF-8' };
  return spawnCommand(command, environment, { onLine, limitMs: 10_000 });
}

/** Runs a program to its end. Throws with what it said when that was not well. */
export async function runJava(jars: string, program: string[]): Promise<void> {
  const child = startJava(jars, program, { onLine: () => {} });
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Error(`${program[0]} ended with ${exitCode}:\n${(await child.lastLines()).join('\n')}`);
}
