import type { BunPlugin } from 'bun';
import { dirname, join, resolve } from 'node:path';
import { version as libraryVersion } from 'swagger-ui-dist/package.json' with { type: 'json' };
import type { Files } from './site.ts';

const folder = import.meta.dir;

/**
 * Builds the page in memory. `hasDemo`: whether the sign-in offers the demo user of `up`. Throws `AggregateError` with what
 * the bundler says of the sources.
 */
export async function buildSite({ hasDemo = false } = {}): Promise<Files> {
  const stream = await bundle([join(folder, 'workers/stream.ts')]);
  const service = await bundle([join(folder, 'workers/service.ts')]);
  const page = await bundle([join(folder, 'page/main.tsx'), join(folder, 'page/style.css')], {
    STREAM_WORKER: JSON.stringify(entryOf(stream, '.js').path),
  });
  const html = await Bun.file(join(folder, 'page/index.html')).text();
  const filled = html
    .replace('STYLE', entryOf(page, '.css').path)
    .replace('SCRIPT', entryOf(page, '.js').path)
    .replace('<html', hasDemo ? '<html data-demo' : '<html');
  return new Map([
    ...[...stream, ...page].map(({ path, body }) => [path, body] as const),
    // At addresses that stay: a browser asks there for the next one.
    ['/sw.js', entryOf(service, '.js').body],
    ['/index.html', Buffer.from(filled)],
    ...(await buildDocs()),
    ['/icon.svg', await Bun.file(join(folder, 'page/icon.svg')).bytes()],
    ['/app.webmanifest', await Bun.file(join(folder, 'page/app.webmanifest')).bytes()],
  ]);
}

/**
 * The page of the API: the library as its package has it, at addresses that name its version, and what of ours calls it.
 * Bundling it anew would take a second of each start, and save nothing (1.4.5).
 */
async function buildDocs(): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const own = await bundle([join(folder, 'page/docs/docs.ts'), join(folder, 'page/docs/docs.css')]);
  const from = dirname(Bun.resolveSync('swagger-ui-dist/package.json', folder));
  const names = ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css', 'LICENSE', 'NOTICE'];
  const at = `/assets/swagger-ui-${libraryVersion}`;
  const html = await Bun.file(join(folder, 'page/docs/docs.html')).text();
  const filled = html
    .replaceAll('LIBRARY', at)
    .replace('STYLE', entryOf(own, '.css').path)
    .replace('SCRIPT', entryOf(own, '.js').path);
  return [
    ...own.map(({ path, body }): [string, Uint8Array<ArrayBuffer>] => [path, body]),
    ...(await Promise.all(
      names.map(async (name): Promise<[string, Uint8Array<ArrayBuffer>]> => [
        `${at}/${name}`,
        await Bun.file(join(from, name)).bytes(),
      ]),
    )),
    ['/docs.html', Buffer.from(filled)],
  ];
}

/**
 * Keeps what the first list needs in one file. The bundler makes a file for each set of parts that need the same modules: 14 at
 * once, packed each by itself, which took 45.2 KiB instead of 41 (1.4.5). A part that is read later comes to a page that has
 * the first one, so that it may as well say that it needs all of it.
 */
function oneFirstFile(first: string): BunPlugin {
  const read = new Set<string>();
  return {
    name: 'one-first-file',
    setup(build) {
      build.onResolve({ filter: /\.tsx$/ }, ({ path, importer, kind }) => {
        if (kind === 'dynamic-import') read.add(resolve(dirname(importer), path));
        return undefined;
      });
      build.onLoad({ filter: /\.tsx$/ }, async ({ path }) => {
        if (!read.has(path)) return undefined;
        return { contents: `import ${JSON.stringify(first)}; ${await Bun.file(path).text()}`, loader: 'tsx' };
      });
    },
  };
}

type Output = { path: string; body: Uint8Array<ArrayBuffer>; isEntry: boolean };

async function bundle(entrypoints: string[], define: Record<string, string> = {}): Promise<Output[]> {
  const name = '[name]-[hash].[ext]';
  const { outputs } = await Bun.build({
    entrypoints,
    target: 'browser',
    minify: true,
    splitting: true,
    sourcemap: 'linked',
    publicPath: '/assets/',
    naming: { entry: name, chunk: name, asset: name },
    plugins: [oneFirstFile(join(folder, 'page/app.tsx'))],
    jsx: { runtime: 'automatic', importSource: 'preact', development: false },
    define,
  });
  return Promise.all(
    outputs.map(async (output) => ({
      path: `/assets/${output.path.replace(/^\.\//, '')}`,
      body: new Uint8Array(await output.arrayBuffer()),
      isEntry: output.kind === 'entry-point' || output.path.endsWith('.css'),
    })),
  );
}

function entryOf(outputs: Output[], extension: string): Output {
  const entry = outputs.find(({ path, isEntry }) => isEntry && path.endsWith(extension));
  if (!entry) throw new Error(`the page was built without its ${extension}`);
  return entry;
}
