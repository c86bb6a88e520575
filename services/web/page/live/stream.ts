import type { Heard, Item, StreamState } from './protocol.ts';

const PATH = '/api/v1/notifications/stream?level=all';
const CROWDED_MS = 60_000;
const AGAIN_MS = 3_000;
const TYPES = ['task.created', 'task.updated', 'task.completed', 'task.deleted', 'task.reminder.triggered'];

/**
 * The one stream of this browser. `EventSource` reconnects by itself and resumes by `Last-Event-ID`, but not after a status
 * other than 200, and a page sees no status: the same address is then asked once more, and says it. `client` names the stream,
 * so that a newer one of the same name takes its place (CONTRACT 9).
 */
export function openStream(tell: (heard: Heard) => void, client: string): { state: () => StreamState; close(): void } {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastId = '';
  let state: StreamState = { is: 'starting' };

  function become(next: StreamState): void {
    if (next.is === state.is) return;
    state = next;
    tell({ type: 'state', state });
  }

  function open(): void {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(address());
    source.addEventListener('ready', ({ lastEventId }) => {
      const hasResumed = lastId !== '';
      lastId = lastEventId;
      become({ is: 'live', hasResumed });
    });
    for (const type of TYPES)
      source.addEventListener(type, ({ data, lastEventId }) => {
        lastId = lastEventId;
        tell({ type: 'item', item: JSON.parse(data) as Item });
      });
    source.addEventListener('stream.gap', ({ lastEventId }) => {
      lastId = lastEventId;
      tell({ type: 'gap' });
    });
    source.addEventListener('unavailable', busy);
    source.addEventListener('token-expired', () => void refused());
    source.addEventListener('error', () => {
      if (source?.readyState === EventSource.CLOSED) void refused();
      else away();
    });
  }

  const address = () => `${PATH}&client=${client}${lastId && `&last_event_id=${lastId}`}`;
  const away = () => become({ is: 'away', since: Date.now() });
  const busy = () => become({ is: 'busy', since: Date.now() });

  /** An end that no reconnect follows. A token that ran out is refreshed, for the tabs too. */
  async function refused(): Promise<void> {
    source?.close();
    const status = await ask(address(), 'HEAD'); // takes no place
    if (status === 401 && (await ask('/api/v1/auth/refresh', 'POST')) === 401) return become({ is: 'out' });
    if (status === 429) become({ is: 'crowded' });
    else if (status === 0) away();
    else if (status >= 500) busy();
    timer = setTimeout(open, status === 429 ? CROWDED_MS : AGAIN_MS);
  }

  open();
  return {
    state: () => state,
    close() {
      clearTimeout(timer);
      source?.close();
    },
  };
}

/** The status of an answer; 0: there was none. */
async function ask(path: string, method: string): Promise<number> {
  try {
    return (await fetch(path, { method })).status;
  } catch {
    return 0; // the network is away: asked again later
  }
}
