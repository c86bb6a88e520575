/**
 * Who runs a command, for its log and its events: the system account, which no environment variable changes, and in
 * parentheses what OPERATOR says, since in a container all are one account and often one without a name.
 */
export function operatorName(said: string, uid = process.getuid?.() ?? 0): string {
  const account = accountName(uid) ?? `uid ${uid}`;
  return said === '' ? account : `${account} (${said})`;
}

/** Asks the system: in Bun 1.4.5 `userInfo().username` is whatever USER says, or "unknown". */
function accountName(uid: number): string | undefined {
  try {
    const { stdout, success } = Bun.spawnSync(['/usr/bin/id', '-un', String(uid)]);
    return success ? stdout.toString().trim() || undefined : undefined;
  } catch {
    return undefined; // an image without `id` has no names either
  }
}
