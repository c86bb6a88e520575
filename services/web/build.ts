import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { SiteFile } from './site.ts';

const folder = import.meta.dir;

/** Below it a header costs more than is saved. */
const MIN_PACKED_BYTES = 1024;

/**
 * Builds the page in memory: its files by the path at which they are served, packed once. `hasDemo`: whether the sign-in
 * offers the demo user of `up`. Throws `AggregateError` with what the bundler says of the sources.
 */
export async function buildSite({ hasDemo = false } = {}): Promise<Map<string, SiteFile>> {
  const worker = await bundle([join(folder, 'workers/stream.ts')]);
  const service = await bundle([join(folder, 'workers/service.ts')]);
  const page = await bundle([join(folder, 'page/main.tsx'), join(folder, 'page/style.css')], {
    STREAM_WORKER: JSON.stringify(entryOf(worker, '.js')),
  });
  const html = await Bun.file(join(folder, 'page/index.html')).text();
  const files = new Map<string, SiteFile>();
  for (const { path, type, text } of [...worker, ...page])
    files.set(path, pack({ type, body: text, isImmutable: true }));
  // At an address that stays, as a browser asks there for the next one.
  const [program] = service.filter(({ isEntry }) => isEntry);
  files.set('/sw.js', pack({ type: 'text/javascript', body: program?.text ?? new Uint8Array() }));
  const filled = html
    .replace('STYLE', entryOf(page, '.css'))
    .replace('SCRIPT', entryOf(page, '.js'))
    .replace('<html', hasDemo ? '<html data-demo' : '<html');
  files.set('/index.html', pack({ type: 'text/html; charset=utf-8', body: Buffer.from(filled) }));
  for (const [name, type] of [
    ['icon.svg', 'image/svg+xml'],
    ['app.webmanifest', 'application/manifest+json'],
  ] as const)
    files.set(`/${name}`, pack({ type, body: await Bun.file(join(folder, 'page', name)).bytes() }));
  return files;
}

type Output = { path: string; type: string; text: Uint8Array<ArrayBuffer>; isEntry: boolean };

async function bundle(entrypoints: string[], define: Record<string, string> = {}): Promise<Output[]> {
  const { outputs } = await Bun.build({
    entrypoints,
    target: 'browser',
    minify: true,
    splitting: true,
    sourcemap: 'linked',
    publicPath: '/assets/',
    naming: { entry: '[name]-[hash].[ext]', chunk: '[name]-[hash].[ext]', asset: '[name]-[hash].[ext]' },
    jsx: { runtime: 'automatic', importSource: 'preact', development: false },
    define: { 'process.env.NODE_ENV': '"production"', ...define },
  });
  return Promise.all(
    outputs.map(async (output) => ({
      path: `/assets/${output.path.replace(/^\.\//, '')}`,
      type: output.kind === 'sourcemap' ? 'application/json' : output.type,
      text: new Uint8Array(await output.arrayBuffer()),
      isEntry: output.kind === 'entry-point' || output.path.endsWith('.css'),
    })),
  );
}

function entryOf(outputs: Output[], extension: string): string {
  const entry = outputs.find(({ path, isEntry }) => isEntry && path.endsWith(extension));
  if (!entry) throw new Error(`the page was built without its ${extension}`);
  return entry.path;
}

function pack({
  type,
  body,
  isImmutable = false,
}: {
  type: string;
  body: Uint8Array<ArrayBuffer>;
  isImmutable?: boolean;
}): SiteFile {
  // Source maps are asked for by tools alone.
  const isWorthIt = body.byteLength >= MIN_PACKED_BYTES && type !== 'application/json';
  return {
    type,
    body,
    encoded: isWorthIt
      ? { br: Uint8Array.from(brotliCompressSync(body)), gzip: Uint8Array.from(gzipSync(body, { level: 9 })) }
      : {},
    etag: `W/"${Bun.hash(body).toString(36)}"`,
    isImmutable,
  };
}
