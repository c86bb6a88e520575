import { join } from 'node:path';
import { printable } from '#shared/text';
import { openLogFile } from './log-file.ts';

const palette = [36, 35, 33, 34, 32, 95, 96];

/** Whether what is printed there may be coloured: by a terminal that can, of a person who did not say no (no-color.org). */
export function wantsColours(
  { isTTY }: { isTTY?: boolean | undefined },
  { NO_COLOR, TERM }: Record<string, string | undefined>,
): boolean {
  return isTTY === true && !NO_COLOR && TERM !== 'dumb';
}

/**
 * What a person sees of `up` (standard output) and what is kept of it: each service's lines as they came in
 * `<folder>/<name>.log`, the same made readable on the terminal with the service's name in front.
 */
export function createTerminal({ folder, colours, now = () => performance.now() }: TerminalOptions) {
  const startedAt = now();
  const files = new Map<string, (line: string) => void>();
  // A closed terminal must not end the supervisor before it has stopped the others.
  process.stdout.on('error', () => {});

  const paint = (code: number, text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const print = (text: string) => void process.stdout.write(`${text}\n`);

  return {
    print,
    bold: (text: string) => paint(1, text),
    /** Time since the start, then the text. */
    step(text: string): void {
      print(`${paint(2, `${seconds(now() - startedAt)} s`)}  ${text}`);
    },
    /** Runs one step and says what it was and how long it took. */
    async timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
      const from = now();
      const result = await work();
      this.step(`${what} ${paint(2, `(${Math.round(now() - from)} ms)`)}`);
      return result;
    },
    /** Takes the lines of one service. */
    linesOf(name: string): (line: string) => void {
      const write = files.get(name) ?? openLogFile(join(folder, `${name}.log`));
      files.set(name, write);
      const prefix = paint(palette[files.size % palette.length] ?? 36, name.padEnd(24));
      return (line) => {
        write(line);
        print(`${prefix} ${readable(line)}`);
      };
    },
    elapsedMs: () => now() - startedAt,
  };
}

export type Terminal = ReturnType<typeof createTerminal>;
type TerminalOptions = { folder: string; colours: boolean; now?: () => number };

/**
 * A JSON log line as a person reads it, `level message key=value`, of Dapr's only level and message; all else as it is.
 * Without the signs that a terminal obeys: they may come from anybody.
 */
export const readable = (line: string): string =>
  sentence(line).replaceAll('\t', '  ').split('\n').map(printable).join('\n');

function sentence(line: string): string {
  const fact = parse(line);
  if (typeof fact?.msg === 'string') return `${severity(fact.level)}${fact.msg}`;
  if (!fact || typeof fact.message !== 'string') return line;
  const { time: _time, level, service: _service, message, ...fields } = fact;
  const texts = Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`);
  return `${severity(level)}${[message, ...texts].join('  ')}`;
}

const severity = (level: unknown) => (level === 'info' || level === undefined ? '' : `${String(level).toUpperCase()} `);

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    // A line that only looks like JSON is shown as it is.
    return undefined;
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /\s/.test(value) ? JSON.stringify(value) : value;
  if (isError(value)) return `${value.name}: ${value.message}`;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

function isError(value: unknown): value is { name: string; message: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1).padStart(5);
}
