export type StreamEvent = { event: string; id: string; data: string };

/** The events of a `text/event-stream` body, comments and `retry` left out (WHATWG HTML, 9.2.6; lines end with \n). */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent, void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const event = parse(frame);
      if (event) yield event;
    }
  }
}

function parse(frame: string): StreamEvent | undefined {
  const event = { event: 'message', id: '', data: '' };
  let isEvent = false;
  for (const line of frame.split('\n')) {
    const [, field, value = ''] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (field === 'event' || field === 'id') event[field] = value;
    if (field === 'data') event.data += event.data ? `\n${value}` : value;
    isEvent ||= field === 'event' || field === 'data';
  }
  return isEvent ? event : undefined;
}
