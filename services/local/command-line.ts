/** How the person runs Bun: started by npx there may be no `bun` in the next terminal. */
export const bun = process.execPath.includes('_npx') ? `npx -y bun@${Bun.version}` : 'bun';

/**
 * Tells on standard error how a command gets on, with the seconds since its start. Plain on a terminal too, where
 * `console.error` prints red (Bun 1.4.5).
 */
export function createProgress(): (line: string) => void {
  const startedAt = performance.now();
  return (line) => console.warn(`[${((performance.now() - startedAt) / 1000).toFixed(1)} s] ${line}`);
}
