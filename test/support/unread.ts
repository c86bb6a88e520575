/** A body of JSON that counts how often it was asked for bytes. `whole`: all of it; without, it begins and never ends. */
export function countedBody(text = '{"title":"x"}', { isWhole = true } = {}) {
  const counted = { pulls: 0, isCancelled: false, stream: null as unknown as ReadableStream<Uint8Array> };
  counted.stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        counted.pulls += 1;
        if (counted.pulls > 1) return isWhole ? controller.close() : new Promise(() => {});
        controller.enqueue(new TextEncoder().encode(text));
      },
      cancel() {
        counted.isCancelled = true;
      },
    },
    { highWaterMark: 0 }, // or the first bytes are asked for before anybody reads
  );
  return counted;
}
