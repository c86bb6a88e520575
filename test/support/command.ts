const LIMIT_MS = 60_000;

/**
 * Runs a program to its end and answers what it said. It sees this environment alone: what whoever runs the tests has in
 * theirs (FORCE_COLOR, which `bun test` sets on a terminal too, a width, a proxy) must not change what a test compares.
 */
export async function runToEnd(
  command: string[],
  environment: Record<string, string>,
  { stdin = '', cwd }: { stdin?: string; cwd?: string } = {},
) {
  const child = Bun.spawn(command, {
    env: environment,
    stdio: [new Blob([stdin]), 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    ...(cwd !== undefined && { cwd }),
  });
  const [out, err, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, exitCode };
}
