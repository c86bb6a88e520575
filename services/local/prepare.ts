import './require-bun.ts';

// What goes before each command that needs the packages. A process of its own, since Bun looks for what a program imports
// before any of it runs. Itself it may import nothing that is not here yet.
const { exitCode } = Bun.spawnSync([process.execPath, 'install', '--frozen-lockfile', '--no-summary'], {
  stdio: ['inherit', 'inherit', 'inherit'],
});
process.exit(exitCode);
