import { accessSync, constants } from 'node:fs';

type Kind = { name: string; variable: string; places: string[]; package: string };

/** Where a browser is on the machines that we know, and how Debian calls it. */
const kinds = {
  chromium: {
    name: 'Chromium',
    variable: 'CHROME_PATH',
    places: ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'],
    package: 'chromium',
  },
  firefox: {
    name: 'Firefox',
    variable: 'FIREFOX_PATH',
    places: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
    package: 'firefox-esr',
  },
} satisfies Record<string, Kind>;

export type Browser = keyof typeof kinds;

/** The browser to test in: that of CHROME_PATH or FIREFOX_PATH, else of this machine; null: there is none. */
export function pathOf(browser: Browser): string | null {
  const { variable, places } = kinds[browser];
  const named = process.env[variable];
  return (named ? [named] : places).find(isProgram) ?? null;
}

/** Installs Debian's where there is none and we may; else says what is missing, and ends with 2. */
export async function browsersOrExit(
  say: (line: string) => void,
  wanted: Browser[] = ['chromium', 'firefox'],
): Promise<void> {
  for (const browser of wanted) {
    const { name, variable, package: debian } = kinds[browser];
    const mayInstall = !process.env[variable] && process.getuid?.() === 0 && Bun.which('apt-get');
    if (pathOf(browser) === null && mayInstall) {
      say(`there is no ${name}: installing that of this distribution`);
      await Bun.spawn(['sh', '-c', installing(debian)], { stdio: ['ignore', 2, 2] }).exited;
    }
    if (pathOf(browser) !== null) continue;
    console.error(`There is no ${name}: install one (\`apt-get install ${debian}\`), or name it in ${variable}.`);
    process.exit(2);
  }
}

const installing = (name: string): string =>
  `apt-get update -q && apt-get install -y -q --no-install-recommends ${name}`;

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run
  }
}
