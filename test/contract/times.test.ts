import { expect, test } from 'bun:test';
import { $ } from 'bun';
import { join } from 'node:path';

const root = new URL('../../', import.meta.url).pathname;
const files = (await $`git ls-files -co --exclude-standard -- services shared db`.cwd(root).text()).split('\n');
const sources = await Promise.all(
  files
    // The page reads the times of our own API, and what its fields of date and time have checked.
    .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$|fixture|^services\/web\/page\//.test(file))
    .map(async (file) => ({ file, text: await Bun.file(join(root, file)).text() })),
);

/** What a call is given, from behind its opening parenthesis: `a(b)` of `a(b)) + c`. */
function argumentOf(text: string): string {
  let depth = 1;
  const end = [...text].findIndex((character) => {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    return depth === 0;
  });
  return text.slice(0, end);
}

/** Nothing (the present), or by its words a number of milliseconds. */
const isNumber = (argument: string): boolean =>
  argument === '' || /epochMilliseconds|\.getTime\(\)|\bnow\(\)|\bDate\.UTC\(|(Ms|_MS)\b|\* 1000\b/.test(argument);

const timesOfText = (text: string): string[] => [
  ...[...text.matchAll(/\bDate\.parse\b/g)].map(([words]) => words),
  ...[...text.matchAll(/\bnew Date\(/g)]
    .map(({ index, 0: words }) => argumentOf(text.slice(index + words.length)))
    .filter((argument) => !isNumber(argument))
    .map((argument) => `new Date(${argument})`),
];

// `Date` reads the 30th of February and a time without offset, as some day or other: shared/time.ts refuses them by name.
test('no text becomes a time but by shared/time.ts', () => {
  const found = sources.flatMap(({ file, text }) => timesOfText(text).map((words) => `${file}: ${words}`));
  expect(sources.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});

// A server's own list of zones may lack names that Bun's has, and one such row would fail the whole statement.
test('no SQL computes in a time zone', () => {
  expect(sources.filter(({ text }) => /\bat time zone\b/i.test(text)).map(({ file }) => file)).toEqual([]);
});

test.each([
  ['Date.parse(event.timestamp)', ['Date.parse']],
  ['new Date(`${date}T00:00:00Z`)', ['new Date(`${date}T00:00:00Z`)']],
  ['new Date(given(text), zone)', ['new Date(given(text), zone)']],
  ['new Date() < new Date(now() - KEPT_MS) || new Date(at.getTime())', []],
])('a text in %p is found', (source, found) => expect(timesOfText(source)).toEqual(found));
