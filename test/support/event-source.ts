/** One block of an event stream: what stood between two blank lines. */
export interface Block {
  /** The last event id after this block; blocks without an `id` keep the one before. */
  id: string;
  /** `message` unless the block named its type. */
  event: string;
  /** Null: the block had no data, so a browser dispatches nothing (heartbeats). */
  data: string | null;
  retry: number | null;
  comment: string | null;
}

/** An answer other than 200: an EventSource fails for good. */
export class StreamRefused extends Error {
  override name = 'StreamRefused';
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly body: string,
  ) {
    super(`the stream answered ${status}: ${body}`);
  }
}

export type EventStream = Awaited<ReturnType<typeof connect>>;

/** Patience with a busy machine, nobody's promise. */
const DEADLINE_MS = 15_000;

/**
 * Opens an event stream with any headers and gives its blocks by `for await`, or one by one by `next` and `until`,
 * which throw after 15 s in vain. `close()` goes away as a browser does. @throws {StreamRefused} for another status
 */
export async function connect(url: string, headers: Record<string, string> = {}) {
  const leaving = new AbortController();
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: leaving.signal,
  });
  if (response.status !== 200 || !response.body) {
    throw new StreamRefused(response.status, response.headers, await response.text());
  }
  const blocks = readBlocks(response.body);

  /** The next block with data. @throws when none comes within `ms`, or the stream ends */
  async function next(ms = DEADLINE_MS): Promise<Block & { data: string }> {
    for (;;) {
      const { value, done } = await deadline(blocks.next(), ms, 'an event');
      if (done) throw new Error('the stream has ended');
      if (value.data !== null) return { ...value, data: value.data };
    }
  }

  return {
    headers: response.headers,
    next,
    [Symbol.asyncIterator]: () => blocks,
    /** The next `count` events, those of the stream itself (`ready` …) included. */
    async take(count: number, ms = DEADLINE_MS): Promise<(Block & { data: string })[]> {
      const events = [];
      while (events.length < count) events.push(await next(ms));
      return events;
    },
    /** Skips to the next block that satisfies `test`, data or not. */
    async until(test: (block: Block) => boolean, ms = DEADLINE_MS): Promise<Block> {
      for (;;) {
        const { value, done } = await deadline(blocks.next(), ms, 'that block');
        if (done) throw new Error('the stream has ended');
        if (test(value)) return value;
      }
    },
    /** All events that still come until the server ends the stream. */
    async rest(ms = DEADLINE_MS): Promise<Block[]> {
      const events = [];
      for (;;) {
        const { value, done } = await deadline(blocks.next(), ms, 'the end of the stream');
        if (done) return events;
        if (value.data !== null) events.push(value);
      }
    },
    close: () => leaving.abort(),
  };
}

async function deadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function* readBlocks(body: ReadableStream<Uint8Array>): AsyncGenerator<Block, undefined> {
  const decoder = new TextDecoder(); // takes a leading byte order mark away, as the standard says
  const parse = createParser();
  try {
    for await (const bytes of body) yield* parse(decoder.decode(bytes, { stream: true }));
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
  return undefined;
}

/**
 * Parses an event stream, chunk by chunk, by the letter of WHATWG HTML 9.2.6. Written without looking at our encoder,
 * so that the two can judge each other.
 */
export function createParser(): (text: string) => Block[] {
  let rest = '';
  let lastEventId = '';
  let block = emptyBlock();

  function line(text: string, blocks: Block[]): void {
    if (text === '') {
      if (block.isEmpty) return;
      lastEventId = block.id ?? lastEventId;
      blocks.push({
        id: lastEventId,
        event: block.event || 'message',
        data: block.data.length === 0 ? null : block.data.join('\n'),
        retry: block.retry,
        comment: block.comments.length === 0 ? null : block.comments.join('\n'),
      });
      block = emptyBlock();
      return;
    }
    block.isEmpty = false;
    const colon = text.indexOf(':');
    if (colon === 0) return void block.comments.push(text.slice(1).replace(/^ /, ''));
    const name = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') block.event = value;
    else if (name === 'data') block.data.push(value);
    else if (name === 'id' && !value.includes('\0')) block.id = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) block.retry = Number(value);
  }

  return (text) => {
    const blocks: Block[] = [];
    rest += text;
    for (;;) {
      const end = /\r\n|\n|\r/.exec(rest);
      // A CR at the end of a chunk may be half of a CRLF: the next chunk tells.
      if (!end || (end[0] === '\r' && end.index === rest.length - 1)) return blocks;
      line(rest.slice(0, end.index), blocks);
      rest = rest.slice(end.index + end[0].length);
    }
  };
}

const emptyBlock = () => ({
  isEmpty: true,
  id: null as string | null,
  event: '',
  data: [] as string[],
  retry: null as number | null,
  comments: [] as string[],
});
