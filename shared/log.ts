import { printableJson } from './text.ts';

type LogLevel = 'debug' | 'info' | 'warn' | 'error';
type LogFields = Record<string, unknown>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields that stand in each of its lines. */
  child(fields: LogFields): Log;
}

const levels: LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * Writes one JSON line per fact: a fixed message, the data in fields. Errors among the fields become
 * `{name, message, code, stack}`. No secrets and no request bodies go in.
 */
export function createLog(
  service: string,
  {
    level = 'info',
    write = writeLine,
    fields: own = {},
  }: { level?: LogLevel; write?: (line: string) => void; fields?: LogFields } = {},
): Log {
  const lowest = levels.indexOf(level);
  const at =
    (lineLevel: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (levels.indexOf(lineLevel) < lowest) return;
      const line = { time: new Date().toISOString(), level: lineLevel, service, message, ...own, ...fields };
      write(printableJson(JSON.stringify(line, Object.values(line).some(needsForm) ? serializable : undefined)));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLog(service, { level, write, fields: { ...own, ...fields } }),
  };
}

/** Lines are held for so long: a write for each costs some 30 µs, an eighth of a create (measured, Bun 1.4.5). */
const HELD_MS = 20;
let held: string[] = [];
process.on('exit', flush);

function writeLine(line: string): void {
  if (held.length === 0) setTimeout(flush, HELD_MS);
  held.push(line);
}

function flush(): void {
  if (held.length === 0) return;
  const lines = held.join('\n');
  held = [];
  process.stdout.write(`${lines}\n`);
}

/** Whether JSON has no form for it, or it may hold such a thing; a function that is asked of each value takes twice as long. */
const needsForm = (value: unknown): boolean =>
  typeof value === 'bigint' || (typeof value === 'object' && value !== null);

function serializable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (!(value instanceof Error)) return value;
  const code = 'code' in value ? value.code : undefined;
  return { name: value.name, message: value.message, code, cause: value.cause, stack: value.stack };
}
