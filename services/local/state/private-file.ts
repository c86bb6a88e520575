import { type Static, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf, Refusal } from '../machine/refusal.ts';

/** What a file is called until it is whole. */
export const draftOf = (file: string): string => `${file}.new`;

/** Writes JSON for its owner alone, beside and renamed: a killed or full-disk write never leaves half a file. */
export function writePrivate(file: string, content: unknown): void {
  const draft = draftOf(file);
  rmSync(draft, { force: true }); // of a killed one, or a link to elsewhere
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
}

/**
 * What `writePrivate` wrote, or undefined when there is no such file. Throws `Refusal` when it is not to be read or not of
 * that form; `mend` is what to do about a damaged one. Its content is never shown.
 */
export function readPrivate<T extends TSchema>(file: string, schema: T, mend: string): Static<T> | undefined {
  const text = textOf(file);
  if (text === undefined) return undefined;
  const value = parsed(text);
  if (Value.Check(schema, value)) return value;
  throw new Refusal(`${file} is damaged (${value === undefined ? 'no whole JSON' : flawOf(schema, value)}): ${mend}.`);
}

function flawOf(schema: TSchema, value: unknown): string {
  const { path = '', message = '' } = Value.Errors(schema, value).First() ?? {};
  return path ? `${path.slice(1).replaceAll('/', '.')}: ${message}` : message;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = codeOf(cause) ?? String(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Refusal(
      `${file} cannot be read (${code}): do this as the user it belongs to, or name another folder in TASKFLOW_STATE.`,
      { cause },
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which no JSON stands for
  }
}
