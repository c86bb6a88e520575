import { accessSync, constants } from 'node:fs';

/** Where a Chromium is on the machines that we know. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];
const INSTALL = 'apt-get update -q && apt-get install -y -q --no-install-recommends chromium';

/** The browser to test in: that of CHROME_PATH, else of this machine; null: there is none. */
export function chromiumPath(): string | null {
  const { CHROME_PATH } = process.env;
  return (CHROME_PATH ? [CHROME_PATH] : PLACES).find(isProgram) ?? null;
}

/** Installs Debian's where there is none and we may; else says what is missing, and ends with 2. */
export async function chromiumOrExit(say: (line: string) => void): Promise<void> {
  if (chromiumPath() === null && !process.env.CHROME_PATH && process.getuid?.() === 0 && Bun.which('apt-get')) {
    say('there is no Chromium: installing that of this distribution');
    await Bun.spawn(['sh', '-c', INSTALL], { stdio: ['ignore', 2, 2] }).exited;
  }
  if (chromiumPath() !== null) return;
  console.error('There is no Chromium: install one (`apt-get install chromium`), or name it in CHROME_PATH.');
  process.exit(2);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run
  }
}
