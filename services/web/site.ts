import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The files of the page as they were built, by the path at which they are served. */
export type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** One of them made ready: its text as it is and as each encoding has it. */
export type SiteFile = {
  type: string;
  body: Uint8Array<ArrayBuffer>;
  /** Made when it is first asked for. Null where it would save nothing. */
  encoded: ((encoding: Encoding) => Uint8Array<ArrayBuffer>) | null;
  etag: string;
  policy: string;
  /** Its name says what it holds, so nobody need ever ask again. */
  isImmutable: boolean;
};

export type Encoding = 'br' | 'gzip';

export type Site = {
  /** The file at the path of a request; of a path that only the page's own router knows, the page. Null: nothing is there. */
  find(request: Request): SiteFile | null;
  answer(request: Request, file: SiteFile): Response;
};

/**
 * No script, style, image or connection but the page's own, and no frame around it. Text becomes script through the one
 * policy `taskflow` alone, which lets the page's own worker pass (Trusted Types, W3C).
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types taskflow',
];

/** Of the page of the API: its library styles itself inline and names no policy of Trusted Types. It has no worker. */
const DOCS_POLICY = POLICY.filter((rule) => !/^(worker-src|require-trusted|trusted)/.test(rule)).map((rule) =>
  rule.startsWith('style-src') ? `${rule} 'unsafe-inline'` : rule,
);

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
  vary: 'accept-encoding',
};

const YEAR_SECONDS = 31_536_000;

/** Never the page: what is not there must stay a 404 to programs. */
const NOT_OURS = /^\/(api|local|health|metrics|assets)(\/|$)/;

/** Below it a header costs more than is saved. */
const MIN_PACKED_BYTES = 1024;

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  map: 'application/json',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  webmanifest: 'application/manifest+json',
};

/** From here on the smallest form is not worth its time: the library of the API page took 20 s for a tenth less. */
const HARD_BYTES = 160 * 1024;

/** Serves what `buildSite` made; `/index.html` is the page, at `/` and at each address of its router; `/docs` is that of the API. */
export function createSite(built: Files): Site {
  const files = new Map([...built].map(([path, body]) => [path, pack(path, body)]));
  const page = files.get('/index.html') ?? null;
  return {
    find(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/') return page;
      const isRoute = isNavigation(request) && !pathname.includes('.') && !NOT_OURS.test(pathname);
      return files.get(pathname === '/docs' ? '/docs.html' : pathname) ?? (isRoute ? page : null);
    },
    answer(request, { type, body, encoded, etag, policy, isImmutable }) {
      const headers = new Headers({
        ...HEADERS,
        'content-security-policy': policy,
        'content-type': type,
        etag,
        'cache-control': isImmutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
      });
      if (isKnown(request, etag)) return new Response(null, { status: 304, headers });
      const encoding = encodingFor(request.headers.get('accept-encoding') ?? '');
      if (!encoding || !encoded) return new Response(body, { headers });
      headers.set('content-encoding', encoding);
      return new Response(encoded(encoding), { headers });
    },
  };
}

function pack(path: string, body: Uint8Array<ArrayBuffer>): SiteFile {
  const extension = path.split('.').at(-1) ?? '';
  // Source maps are asked for by tools alone.
  const isWorthIt = body.byteLength >= MIN_PACKED_BYTES && extension !== 'map';
  const packed = new Map<Encoding, Uint8Array<ArrayBuffer>>();
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    body,
    encoded: isWorthIt ? (encoding) => packed.getOrInsertComputed(encoding, () => packers[encoding](body)) : null,
    policy: (path === '/docs.html' ? DOCS_POLICY : POLICY).join('; '),
    etag: `W/"${Bun.hash(body).toString(36)}"`,
    isImmutable: path.startsWith('/assets/'),
  };
}

const packers: Record<Encoding, (body: Uint8Array) => Uint8Array<ArrayBuffer>> = {
  br: (body) => {
    const quality = body.byteLength < HARD_BYTES ? constants.BROTLI_MAX_QUALITY : 5;
    return Uint8Array.from(brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
  },
  gzip: (body) => Uint8Array.from(gzipSync(body, { level: 9 })),
};

const isNavigation = ({ method, headers }: Request): boolean =>
  ['GET', 'HEAD'].includes(method) && (headers.get('accept') ?? '').includes('text/html');

/** RFC 9110, 13.1.2: compared weakly, one of a list, or `*`. */
function isKnown(request: Request, etag: string): boolean {
  const given = request.headers.get('if-none-match')?.split(',') ?? [];
  return given.some((one) => one.trim() === '*' || one.trim() === etag);
}

/** The smallest that a client takes (RFC 9110, 12.5.3). */
function encodingFor(accepted: string): Encoding | null {
  const taken = accepted.split(',').flatMap((part) => {
    const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    return parameters.some((word) => /^q=0(\.0*)?$/.test(word)) ? [] : [name];
  });
  return (['br', 'gzip'] as const).find((encoding) => taken.includes(encoding)) ?? null;
}
