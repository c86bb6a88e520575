import type { Heard, Said } from '../page/live/protocol.ts';
import { livingStream, type Stream } from '../page/live/stream.ts';

// All tabs of a browser share this worker, and so one stream: with one each the seventh tab would not load over HTTP/1.1.

declare const self: SharedWorkerGlobalScope;

const tabs = new Set<MessagePort>();
let stream: Stream | undefined;
const client = [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(36)).join('');

const tell = (heard: Heard, but?: MessagePort) => {
  for (const tab of tabs) if (tab !== but) tab.postMessage(heard);
};

function hear(said: Said, tab: MessagePort): void {
  switch (said.type) {
    case 'open':
      stream = livingStream(stream, tell, client);
      tab.postMessage({ type: 'state', state: stream.state() } satisfies Heard);
      return;
    case 'check':
      return void stream?.check();
    case 'task':
    case 'zone':
      return tell(said, tab);
    case 'signed-out':
      return close();
    case 'left':
      return; // the others may be somebody's
    case 'bye':
      tabs.delete(tab);
      if (tabs.size === 0) close();
  }
}

function close(): void {
  stream?.close();
  stream = undefined;
}

self.addEventListener('connect', ({ ports: [tab] }) => {
  if (!tab) return;
  tabs.add(tab);
  tab.addEventListener('message', ({ data }: MessageEvent<Said>) => hear(data, tab));
  tab.start();
});
