// Shows nothing and keeps nothing by itself: it is there for notifications that can be answered without opening a tab.
// It has no handler for fetch: one that answers for streams would cut them.

declare const self: ServiceWorkerGlobalScope;

type Data = { id: string };

self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('notificationclick', (event) => {
  const { notification, action } = event;
  const { id } = notification.data as Data;
  notification.close();
  event.waitUntil(answer(action, id));
});

async function answer(action: string, id: string): Promise<void> {
  const task = `/api/v1/tasks/${id}`;
  const isDone =
    action === 'snooze'
      ? await send('POST', `${task}/snooze`, { for: '10 minutes' })
      : action === 'done'
        ? await send('PATCH', task, { completed: true })
        : false;
  if (!isDone) await open(`/?task=${id}`); // also where nobody answered, or the session has ended: the page says why
}

async function send(method: string, path: string, body: object): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(path, { method, headers, body: JSON.stringify(body) })).ok;
  } catch {
    return false; // the network is away
  }
}

async function open(url: string): Promise<void> {
  const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const tab = tabs.find(isPage);
  if (!tab) return void (await self.clients.openWindow(url));
  tab.postMessage({ open: url });
  await tab.focus();
}

/**
 * A tab may also show the page of the API, an answer of it or a file, which would not hear. As `site.ts` says, which no
 * worker may import.
 */
function isPage({ url }: WindowClient): boolean {
  const { pathname } = new URL(url);
  return !/^\/(docs|api|local|health|metrics|assets)(\/|$)/.test(pathname) && !pathname.includes('.');
}

export {};
