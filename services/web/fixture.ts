import { gzipSync } from 'node:zlib';
import type { Files } from './site.ts';

// What the page weighs, for its tests and its benchmark.

/** What the first list may take, in KiB, packed. */
export const FIRST_KIB = { '.js': 45, '.css': 8 } as const;

/** What a browser fetches before the first list: what the page names, and what that cannot do without. */
export function firstOf(files: Files): Set<string> {
  const html = textOf(files, '/index.html');
  const first = new Set<string>();
  for (const [, path = ''] of html.matchAll(/(?:href|src)="([^"]+)"/g)) addWithImports(files, path, first);
  return first;
}

/** A script with those that it imports at once: what it loads later is not among them. */
function addWithImports(files: Files, path: string, known: Set<string>): void {
  if (known.has(path)) return;
  known.add(path);
  if (!path.endsWith('.js')) return;
  const imports = textOf(files, path).matchAll(/(?:from|import)"(\/assets\/[^"]+)"/g);
  for (const [, imported = ''] of imports) addWithImports(files, imported, known);
}

/** Bytes on the wire of those with this extension, each packed by gzip. */
export const packedBytes = (files: Files, paths: Iterable<string>, extension: string): number =>
  [...paths]
    .filter((path) => path.endsWith(extension))
    .reduce((sum, path) => sum + gzipSync(files.get(path) ?? '', { level: 9 }).byteLength, 0);

const textOf = (files: Files, path: string) => Buffer.from(files.get(path) ?? []).toString();
