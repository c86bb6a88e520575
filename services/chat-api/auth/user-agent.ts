const browsers: [pattern: RegExp, name: string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/(\b|Headless)(Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/.* Safari\//, 'Safari'],
];

const systems: [pattern: RegExp, name: string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

/**
 * What a person knows a device by: `Firefox on Linux`, or of a program the first product that its `User-Agent` names
 * (`curl/8.5.0`), at most 40 characters; null where that says nothing. No more is kept of the header.
 */
export function deviceName(userAgent: string | null): string | null {
  const text = (userAgent ?? '').slice(0, 500);
  const browser = nameIn(text, browsers);
  const system = nameIn(text, systems);
  if (browser && system) return `${browser} on ${system}`;
  if (text.startsWith('Mozilla/')) return system ? `Browser on ${system}` : null; // every browser says so
  return /^[\w.+-]+(\/[\w.+-]+)?/.exec(text)?.[0].slice(0, 40) ?? null;
}

const nameIn = (text: string, names: [pattern: RegExp, name: string][]): string | undefined =>
  names.find(([pattern]) => pattern.test(text))?.[1];
