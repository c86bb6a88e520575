import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createParser } from '../../../test/support/event-source.ts';
import { itemOf, type Row } from '../inbox/model.ts';
import { frame, gapFrame, heartbeatFrame, rowFrame } from './frame.ts';

const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** Parses in chunks, since a network cuts where it likes. */
function parse(stream: string, size = stream.length || 1) {
  const parser = createParser();
  const blocks = [];
  for (let at = 0; at < stream.length; at += size) blocks.push(...parser(stream.slice(at, at + size)));
  return blocks;
}

const nasty = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    fc.constantFrom(...'\r\n\0\u2028\u2029\uFEFF: "\\'),
  ),
});
const row = (payload: object, type = 'task.created'): Row => ({
  user_id: crypto.randomUUID(),
  seq: 7,
  type,
  notify: false,
  payload,
  created_at: new Date('2026-12-01T09:00:00.000Z'),
  read_at: null,
});

describe('frame', () => {
  test('gives any text back, with line breaks as LF, however the stream is cut', () => {
    fc.assert(
      fc.property(nasty, nasty, fc.nat(), fc.integer({ min: 1, max: 9 }), (data, event, id, size) => {
        const [block, ...more] = parse(text(frame({ id, event, data, retry: 3000 })), size);
        expect(more).toEqual([]);
        expect(block).toEqual({
          id: String(id),
          event: event.replace(/[\r\n]/g, '') || 'message',
          data: data.replace(/\r\n|\r/g, '\n'),
          retry: 3000,
          comment: null,
        });
      }),
    );
  });
});

describe('rowFrame', () => {
  test('is one line of JSON, whatever an event holds', () => {
    fc.assert(
      fc.property(fc.dictionary(nasty, nasty), nasty, (payload, type) => {
        const bytes = rowFrame(row(payload, type));
        expect(text(bytes).match(/^data:/gm)?.length).toBe(1);
        const [block, ...more] = parse(text(bytes));
        expect(more).toEqual([]);
        expect(JSON.parse(block?.data ?? '')).toEqual(JSON.parse(JSON.stringify(itemOf(row(payload)))));
      }),
    );
  });

  test('looks like this', () => {
    expect(text(rowFrame(row({ event_type: 'task.created' })))).toMatchInlineSnapshot(`
      "id: 7
      event: task.created
      data: {"id":7,"notify":false,"created_at":"2026-12-01T09:00:00.000Z","read_at":null,"event":{"event_type":"task.created"}}

      "
    `);
  });

  test('is built once for all streams', () => {
    const one = row({});
    expect(rowFrame(one)).toBe(rowFrame(one));
  });
});

test('the frames of the stream itself', () => {
  expect(text(gapFrame(3, 1200, 1200))).toMatchInlineSnapshot(`
    "id: 1200
    event: stream.gap
    data: {"from":3,"to":1200,"url":"/api/v1/notifications?after=2&before=1201"}

    "
  `);
  expect(text(heartbeatFrame())).toMatchInlineSnapshot(`
    ": heartbeat

    "
  `);
  expect(text(heartbeatFrame(9))).toMatchInlineSnapshot(`
    ": heartbeat
    id: 9

    "
  `);
  expect(parse(text(heartbeatFrame(9)))).toEqual([
    { id: '9', event: 'message', data: null, retry: null, comment: 'heartbeat' },
  ]);
});
