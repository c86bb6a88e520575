import { effect, signal } from '@preact/signals';
import { stream } from '../state.ts';

const AGAIN_MS = 60_000;
const EACH_MS = 15 * 60_000;

/** Whether the server has another page than this one. Nothing is loaded anew by itself: somebody may be writing. */
export const isOutdated = signal(false);

/** What this page is made of; each name says what its file holds. */
const parts = () =>
  [...document.querySelectorAll('script[src], link[rel=stylesheet]')].map(
    (element) => element.getAttribute('src') ?? element.getAttribute('href') ?? '',
  );

let lookedAt = Date.now();

/** Looks when the stream comes back, as after a new version was rolled out, when the tab is come to, and now and then. */
export function watchVersion(): void {
  effect(() => {
    const { value } = stream;
    if (value.is === 'live' && value.hasResumed) void look();
  });
  addEventListener('focus', () => Date.now() - lookedAt > AGAIN_MS && void look());
  setInterval(look, EACH_MS);
}

async function look(): Promise<void> {
  if (isOutdated.peek()) return;
  lookedAt = Date.now();
  try {
    const response = await fetch('/', { cache: 'no-cache', headers: { accept: 'text/html' } });
    const html = await response.text();
    const isPage = response.ok && html.includes('<div id="app">'); // and no page of a proxy in between
    isOutdated.value = isPage && parts().some((path) => !html.includes(path));
  } catch {
    // The network is away; the state line says so.
  }
}
