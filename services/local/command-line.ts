/** How the person runs Bun: started by npx there may be no `bun` in the next terminal. */
export const bun = process.execPath.includes('_npx') ? `npx -y bun@${Bun.version}` : 'bun';
