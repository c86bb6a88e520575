import { newKey } from '../api.ts';
import type { Heard, Said } from './protocol.ts';
import { livingStream, openStream, type Stream } from './stream.ts';
import { scriptUrl, streamWorker } from './trusted.ts';

export type Connection = { say(said: Said): void };

/** Joins the stream of this browser's tabs; where there is no SharedWorker, one of its own while it can be seen. */
export function connect(hear: (heard: Heard) => void): Connection {
  return 'SharedWorker' in globalThis ? joinWorker(hear) : openAlone(hear);
}

function joinWorker(hear: (heard: Heard) => void): Connection {
  const { port } = new SharedWorker(scriptUrl(streamWorker), { name: 'taskflow' });
  port.addEventListener('message', ({ data }: MessageEvent<Heard>) => hear(data));
  port.start();
  const say = (said: Said) => port.postMessage(said);
  addEventListener('pagehide', () => say({ type: 'bye' }));
  addEventListener('pageshow', (event) => (event as PageTransitionEvent).persisted && location.reload()); // it has left the worker
  return { say };
}

function openAlone(hear: (heard: Heard) => void): Connection {
  const client = newKey();
  let stream: Stream | undefined;
  let isWanted = false;
  function look(): void {
    const isSeen = document.visibilityState === 'visible';
    if (isWanted && isSeen && !stream) {
      stream = openStream(hear, client);
    } else if (stream && !(isWanted && isSeen)) {
      stream.close();
      stream = undefined;
      hear({ type: 'state', state: { is: 'away', since: Date.now() } }); // what is missed meanwhile is read when it is back
    }
  }
  document.addEventListener('visibilitychange', look);
  return {
    say({ type }) {
      if (type === 'open') [isWanted, stream] = [true, stream && livingStream(stream, hear, client)];
      if (type === 'signed-out' || type === 'left') isWanted = false;
      if (type === 'check') void stream?.check();
      look();
    },
  };
}
