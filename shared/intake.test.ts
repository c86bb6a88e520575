import { describe, expect, test } from 'bun:test';
import { countedBody } from '../test/support/unread.ts';
import { eventually } from '../test/support/wait.ts';
import { BodyError, createIntake } from './intake.ts';

const request = (body: ReturnType<typeof countedBody>, headers: Record<string, string> = {}) =>
  new Request('http://localhost', { method: 'POST', headers, body: body.stream });
const by = (name: string, maxBytes = 6) => ({ by: name, maxBytes });
const outcome = (taken: Promise<Uint8Array>) =>
  taken.then(
    (bytes) => new TextDecoder().decode(bytes),
    (error: unknown) => (error instanceof BodyError ? error.status : error),
  );

describe('take', () => {
  test.each<Record<string, string>>([{}, { 'content-length': '5' }])('gives a whole body: %j', async (headers) => {
    const intake = createIntake();
    expect(await outcome(intake.take(request(countedBody('12345'), headers), by('ada', 5)))).toBe('12345');
    expect(intake.held()).toBe(0);
  });

  test('asks for nothing of a body that says it is too long', async () => {
    const body = countedBody('123456');
    expect(await outcome(createIntake().take(request(body, { 'content-length': '6' }), by('ada', 5)))).toBe(413);
    expect(body.pulls).toBe(0);
  });

  test('asks for no more of a body that turns out to be too long', async () => {
    const [intake, body] = [createIntake(), countedBody('123456', { isWhole: false })];
    expect(await outcome(intake.take(request(body), by('ada', 5)))).toBe(413);
    expect([body.pulls, body.isCancelled, intake.held()]).toEqual([1, true, 0]);
  });

  test('gives up a body that does not come in time', async () => {
    const [intake, body] = [createIntake({ bodyMs: 5 }), countedBody('123', { isWhole: false })];
    expect(await outcome(intake.take(request(body), by('ada', 5)))).toBe(408);
    expect([body.isCancelled, intake.held()]).toEqual([true, 0]);
  });
});

describe('all bodies under way', () => {
  test('give way in the order of who holds most: not who has been waiting for longest, nor who comes', async () => {
    const intake = createIntake({ totalBytes: 20 });
    const ends: string[] = [];
    const begin = async (name: string, text: string) => {
      const body = countedBody(text, { isWhole: false });
      void outcome(intake.take(request(body), by(name[0] ?? ''))).then((end) => ends.push(`${name} ${end}`));
      await eventually(() => body.pulls === 2, { what: 'it to come as far as it will' });
    };
    await begin('bob', '123');
    for (const name of ['ada 1', 'ada 2', 'ada 3', 'ada 4']) await begin(name, '12345');
    expect(ends).toEqual(['ada 1 408']);
    expect(await outcome(intake.take(request(countedBody('123456')), by('cleo')))).toBe('123456');
    expect([ends, intake.held()]).toEqual([['ada 1 408', 'ada 2 408'], 13]);
  });

  test('hold no more than the total: the one that has been coming for longest gives way', async () => {
    const intake = createIntake({ totalBytes: 10 });
    const stalled = Array.from({ length: 8 }, () => countedBody('123456', { isWhole: false }));
    const outcomes: unknown[] = [];
    for (const [i, body] of stalled.entries()) {
      void outcome(intake.take(request(body), by('ada', 6))).then((end) => void (outcomes[i] = end));
      await eventually(() => body.pulls === 2, { what: 'it to come as far as it will' });
      expect(intake.held()).toBeLessThanOrEqual(10);
    }
    expect(await outcome(intake.take(request(countedBody('1234')), by('ada', 6)))).toBe('1234');
    expect(outcomes).toEqual(Array.from({ length: 7 }, () => 408));
    expect(intake.held()).toBe(6);

    expect(await outcome(intake.take(request(countedBody('12345'), { 'content-length': '5' }), by('ada', 6)))).toBe(
      '12345',
    );
    expect([outcomes.length, intake.held()]).toEqual([8, 0]);
  });
});
