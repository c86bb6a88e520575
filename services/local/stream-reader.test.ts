import { expect, test } from 'bun:test';
import { readEvents } from './stream-reader.ts';

test('puts events together from chunks cut anywhere, comments and retry left out', async () => {
  const text = 'retry: 3000\n\n: heartbeat\n\nevent: ready\nid: 7\ndata: {"é":1}\n\ndata: a\ndata: b\n\nevent: cut off';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 3, bytes.length]) {
    const events = await Array.fromAsync(readEvents(inChunks(bytes, size)));
    expect(events).toEqual([
      { event: 'ready', id: '7', data: '{"é":1}' },
      { event: 'message', id: '', data: 'a\nb' },
    ]);
  }
});

function inChunks(bytes: Uint8Array<ArrayBuffer>, size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}
