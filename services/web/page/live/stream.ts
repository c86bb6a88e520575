import type { Heard, Item, StreamState } from './protocol.ts';
import { refreshInTurn } from './refresh.ts';

const PATH = '/api/v1/notifications/stream?level=all';
const CROWDED_MS = 60_000;
const AGAIN_MS = 3_000;
/** Longer than any answer takes that is worth waiting for. */
const ANSWER_MS = 10_000;
/** The same of a stream's first word: it may have been asked for on a connection that is dead and does not say so. */
const READY_MS = 15_000;
const TYPES = ['task.created', 'task.updated', 'task.completed', 'task.deleted', 'task.reminder.triggered'];

export type Stream = {
  state(): StreamState;
  /** Makes sure that what seems open is: after a sleep, or in another network, a connection may be dead and not say so. */
  check(): Promise<void>;
  close(): void;
};

/**
 * The one stream of this browser. `EventSource` reconnects by itself and resumes by `Last-Event-ID`, but not after a status
 * other than 200, and a page sees no status: it is asked for by `HEAD` then. `client` names it, so that a newer one of the
 * same name takes its place (CONTRACT 9).
 */
export function openStream(tell: (heard: Heard) => void, client: string): Stream {
  const url = `${PATH}&client=${client}`;
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastId = '';
  let state: StreamState = { is: 'starting' };
  let isClosed = false;

  function become(next: StreamState): void {
    if (isClosed || next.is === state.is) return;
    state = next;
    tell({ type: 'state', state });
  }

  function open(): void {
    if (isClosed) return;
    clearTimeout(timer);
    source?.close();
    source = new EventSource(lastId ? `${url}&last_event_id=${lastId}` : url);
    timer = setTimeout(open, READY_MS);
    source.addEventListener('ready', ({ lastEventId }) => {
      clearTimeout(timer);
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
      if (source?.readyState === EventSource.CLOSED) return void refused();
      away();
      clearTimeout(timer);
      timer = setTimeout(open, READY_MS);
    });
  }

  const away = () => become({ is: 'away', since: Date.now() });
  const busy = () => become({ is: 'busy', since: Date.now() });

  /** An end that no reconnect follows. A token that ran out is refreshed, for the tabs too. */
  async function refused(): Promise<void> {
    clearTimeout(timer); // what is asked below may take as long
    source?.close();
    let status = (await ask(url, 'HEAD')).status;
    if (status === 401) {
      status = (await refreshInTurn(() => ask('/api/v1/auth/refresh', 'POST'))).status;
      if (status === 401) return become({ is: 'out' });
      if (status === 200) return open();
    }
    if (status === 429) become({ is: 'crowded' });
    else if (status >= 500) busy();
    else away();
    clearTimeout(timer);
    timer = setTimeout(open, status === 429 ? CROWDED_MS : AGAIN_MS);
  }

  /** The inbox is the log: of a stream that is well the last one heard is its newest. */
  async function check(): Promise<void> {
    if (state.is !== 'live') return;
    const heard = lastId;
    const answer = await ask('/api/v1/notifications?limit=1', 'GET');
    if (isClosed || lastId !== heard) return;
    if (!answer.ok) return refused();
    const [newest] = (await answer.json().catch(() => [])) as Item[];
    if (newest && newest.id > Number(heard)) open();
  }

  open();
  return {
    state: () => state,
    check,
    close() {
      isClosed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}

/** The stream that there is; a new one where there is none, or where its session has ended: such a one never comes back. */
export function livingStream(before: Stream | undefined, tell: (heard: Heard) => void, client: string): Stream {
  if (before && before.state().is !== 'out') return before;
  before?.close();
  return openStream(tell, client);
}

/** Any answer; where there was none, an error of the network. */
async function ask(path: string, method: string): Promise<Response> {
  try {
    return await fetch(path, { method, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    return Response.error(); // the network is away: asked again later
  }
}
