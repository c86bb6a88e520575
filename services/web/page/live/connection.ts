import { newKey } from '../api.ts';
import type { Heard, Said } from './protocol.ts';
import { openStream } from './stream.ts';

/** Where the build put the worker. Its name carries what it holds: an older tab keeps its older worker. */
declare const STREAM_WORKER: string;

/** Of the DOM, where TypeScript's own library does not know it yet. */
type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
};

export type Connection = { say(said: Said): void };

/** The one address that may become a script of a worker (Trusted Types). */
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('taskflow', {
  createScriptURL(url) {
    if (url !== STREAM_WORKER) throw new TypeError('no script but our own worker');
    return url;
  },
});

/** Joins the stream of this browser's tabs; where there is no SharedWorker, one of its own while it can be seen. */
export function connect(hear: (heard: Heard) => void): Connection {
  return 'SharedWorker' in globalThis ? joinWorker(hear) : openAlone(hear);
}

function joinWorker(hear: (heard: Heard) => void): Connection {
  const url = policy ? policy.createScriptURL(STREAM_WORKER) : STREAM_WORKER;
  const { port } = new SharedWorker(url as string, { name: 'taskflow' });
  port.addEventListener('message', ({ data }: MessageEvent<Heard>) => hear(data));
  port.start();
  const say = (said: Said) => port.postMessage(said);
  addEventListener('pagehide', () => say({ type: 'bye' }));
  addEventListener('pageshow', (event) => (event as PageTransitionEvent).persisted && location.reload()); // it has left the worker
  return { say };
}

function openAlone(hear: (heard: Heard) => void): Connection {
  const client = newKey();
  let stream: ReturnType<typeof openStream> | undefined;
  let isWanted = false;
  function look(): void {
    const isSeen = document.visibilityState === 'visible';
    if (isWanted && isSeen && !stream) {
      stream = openStream(hear, client);
      hear({ type: 'gap' }); // it may have missed something while it was hidden
    } else if (stream && !(isWanted && isSeen)) {
      stream.close();
      stream = undefined;
    }
  }
  document.addEventListener('visibilitychange', look);
  return {
    say({ type }) {
      if (type === 'open') isWanted = true;
      if (type === 'signed-out') isWanted = false;
      look();
    },
  };
}
