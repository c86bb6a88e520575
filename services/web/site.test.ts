import { beforeAll, describe, expect, test } from 'bun:test';
import { brotliDecompressSync } from 'node:zlib';
import { publicPaths } from '#shared/public-paths';
import { buildSite } from './build.ts';
import { FIRST_KIB, firstOf, packedBytes } from './fixture.ts';
import { createSite, type Files, type Site } from './site.ts';

let files: Files;
let site: Site;
beforeAll(async () => {
  files = await buildSite();
  site = createSite(files);
});

const request = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Request(`http://localhost${path}`, { headers, method });
function ask(path: string, headers: Record<string, string> = {}): Response {
  const asked = request(path, headers);
  const file = site.find(asked);
  if (!file) throw new Error(`there is no ${path}`);
  return site.answer(asked, file);
}
/** The largest of the page's own. */
const pathOf = (extension: string) =>
  [...files]
    .filter(([path]) => /^\/assets\/(main|style)-/.test(path) && path.endsWith(extension))
    .sort(([, a], [, b]) => b.byteLength - a.byteLength)[0]?.[0] ?? '';

describe('answer', () => {
  test('lets no script, style, frame or connection in but the page its own', () => {
    expect(ask('/').headers.get('content-security-policy')).toMatchInlineSnapshot(
      `"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types taskflow"`,
    );
    expect(ask('/').headers.toJSON()).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  test('a file whose name says what it holds is kept for ever, the page is asked for anew', () => {
    expect(ask(pathOf('.js')).headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    for (const path of ['/', '/sw.js', '/icon.svg', '/app.webmanifest'])
      expect(ask(path).headers.get('cache-control')).toBe('no-cache');
  });

  test.each([
    ['br', 'gzip, deflate, br, zstd'],
    ['gzip', 'gzip, deflate'],
    ['gzip', 'br;q=0, GZIP;q=0.5'],
    [null, 'identity'],
    [null, ''],
  ])('%s to who accepts "%s"', async (encoding, accepted) => {
    const response = ask(pathOf('.js'), { 'accept-encoding': accepted });
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('vary')).toBe('accept-encoding');
  });

  test('what is unpacked is what was built', async () => {
    const [plain, packed] = [ask(pathOf('.js')), ask(pathOf('.js'), { 'accept-encoding': 'gzip' })];
    expect(Bun.gunzipSync(await packed.arrayBuffer())).toEqual(new Uint8Array(await plain.arrayBuffer()));
  });

  test('304 to who has it, in a list too and with the headers', async () => {
    const etag = ask('/').headers.get('etag') ?? '';
    for (const known of [etag, `"other", ${etag}`, '*']) {
      const response = ask('/', { 'if-none-match': known });
      expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, etag, '']);
    }
    expect(ask('/', { 'if-none-match': '"other"' }).status).toBe(200);
  });
});

describe('the page of the API', () => {
  test('may style itself, as the library does, and may do nothing else that the page may not', () => {
    const own = (path: string) => (ask(path).headers.get('content-security-policy') ?? '').split('; ');
    expect(own('/docs').filter((rule) => !own('/').includes(rule))).toEqual(["style-src 'self' 'unsafe-inline'"]);
    expect(own('/').filter((rule) => !own('/docs').includes(rule))).toEqual([
      "style-src 'self'",
      "worker-src 'self'",
      "require-trusted-types-for 'script'",
      'trusted-types taskflow',
    ]);
  });

  test('has the document of each service that people reach', async () => {
    const html = await ask('/docs').text();
    const documents = [...html.matchAll(/data-document="([^"]+)"/g)].map(([, path]) => path);
    const known = publicPaths.flatMap(([prefix, appId]) => (appId ? [`${prefix}/openapi.json`] : []));
    expect(documents.toSorted()).toEqual(known.toSorted());
  });

  test('takes at most 512 KiB, packed, and is unpacked as the library has it', async () => {
    const html = await ask('/docs').text();
    const asked = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(asked.length).toBe(4);
    const packed = await Promise.all(
      asked.map(async (path) => (await ask(path, { 'accept-encoding': 'gzip' }).arrayBuffer()).byteLength),
    );
    const sum = packed.reduce((total, bytes) => total + bytes, 0);
    console.log(`the page of the API ${sum} bytes, packed by gzip`);
    expect(sum).toBeLessThan(512 * 1024);
    const library = asked.find((path) => path.endsWith('swagger-ui-bundle.js')) ?? '';
    const [plain, brotli] = [ask(library), ask(library, { 'accept-encoding': 'br' })];
    expect(brotliDecompressSync(await brotli.arrayBuffer()).equals(Buffer.from(await plain.arrayBuffer()))).toBe(true);
  });
});

describe('find', () => {
  test.each([
    ['GET', '/series/1', 'text/html,*/*;q=0.8', true],
    ['HEAD', '/series/1', 'text/html', true],
    ['POST', '/series/1', 'text/html', false],
    ['GET', '/series/1', '*/*', false],
    ['GET', '/series.js', 'text/html', false],
    ['GET', '/api/v1/nothing', 'text/html', false],
    ['GET', '/assets/..%2f..%2fbuild', 'text/html', false],
  ])('%s %s of who accepts %s is the page: %p', (method, path, accept, isPage) => {
    expect(site.find(request(path, { accept }, method))?.type.startsWith('text/html') ?? false).toBe(isPage);
  });
});

describe('buildSite', () => {
  test('the page asks for nothing that is not there', async () => {
    const html = await ask('/').text();
    const asked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(asked.length).toBe(4);
    expect(asked.filter((path) => !files.has(path))).toEqual([]);
    expect(html).not.toMatch(/<script(?! type="module" src)|<style| on\w+=/);
  });

  test('the sign-in offers a demo user only where there is one', async () => {
    const withDemo = (await buildSite({ hasDemo: true })).get('/index.html');
    expect(Buffer.from(withDemo ?? []).toString()).toContain('<html data-demo lang');
    expect(await ask('/').text()).toContain('<html lang');
  });

  test('the first list takes at most 45 KiB of scripts and 8 KiB of styles, packed', () => {
    const packed = (extension: string) => packedBytes(files, firstOf(files), extension);
    console.log(`scripts ${packed('.js')} bytes, styles ${packed('.css')} bytes, both packed by gzip`);
    expect(packed('.js')).toBeWithin(1024, FIRST_KIB['.js'] * 1024);
    expect(packed('.css')).toBeWithin(1024, FIRST_KIB['.css'] * 1024);
  });

  test('the first list is two files of scripts, as who is far away waits for each', () => {
    expect([...firstOf(files)].filter((path) => path.endsWith('.js'))).toHaveLength(2);
  });

  test('what admins alone need is fetched by them alone, and takes at most 15 KiB', () => {
    const own = [...files.keys()].filter((path) => /^\/assets\/(audit|services)-\w+\.js$/.test(path));
    expect(own).toHaveLength(2);
    expect(firstOf(files).isDisjointFrom(new Set(own))).toBe(true);
    expect(packedBytes(files, own, '.js')).toBeWithin(1024, 15 * 1024);
  });
});
