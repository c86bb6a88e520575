import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes what the processes of a failed drill printed, one file each, and all that is wrong. @returns the folder */
export async function keepLogs(drill: string, lines: string[], wrong: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `taskflow-drill-${drill}-`));
  await writeFile(join(folder, 'wrong.txt'), [...wrong, ''].join('\n'));
  for (const [name, own] of Map.groupBy(lines, processOf)) {
    await writeFile(join(folder, `${name.replaceAll(/\W+/g, '-')}.log`), [...own, ''].join('\n'));
  }
  return folder;
}

/** A line begins with its process: `audit-logger#2 …`, `local/sidecar kafka …`, `local/sidecar daprd audit-logger …`. */
const processOf = (line: string): string => /^(local\/sidecar (daprd )?)?\S*/.exec(line)?.[0] ?? '';
