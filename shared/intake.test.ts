import { describe, expect, test } from 'bun:test';
import { countedBody } from '../test/support/unread.ts';
import { eventually } from '../test/support/wait.ts';
import { BodyError, createIntake } from './intake.ts';

const request = (body: ReturnType<typeof countedBody>, headers: Record<string, string> = {}) =>
  new Request('http://localhost', { method: 'POST', headers, body: body.stream });
const outcome = (taken: Promise<Uint8Array>) =>
  taken.then(
    (bytes) => new TextDecoder().decode(bytes),
    (error: unknown) => (error instanceof BodyError ? error.status : error),
  );

describe('take', () => {
  test.each<Record<string, string>>([{}, { 'content-length': '5' }])('gives a whole body: %j', async (headers) => {
    const intake = createIntake();
    expect(await outcome(intake.take(request(countedBody('12345'), headers), 5))).toBe('12345');
    expect(intake.held()).toBe(0);
  });

  test('asks for nothing of a body that says it is too long', async () => {
    const body = countedBody('123456');
    expect(await outcome(createIntake().take(request(body, { 'content-length': '6' }), 5))).toBe(413);
    expect(body.pulls).toBe(0);
  });

  test('asks for no more of a body that turns out to be too long', async () => {
    const [intake, body] = [createIntake(), countedBody('123456', { isWhole: false })];
    expect(await outcome(intake.take(request(body), 5))).toBe(413);
    expect([body.pulls, body.isCancelled, intake.held()]).toEqual([1, true, 0]);
  });

  test('gives up a body that does not come in time', async () => {
    const [intake, body] = [createIntake({ bodyMs: 5 }), countedBody('123', { isWhole: false })];
    expect(await outcome(intake.take(request(body), 5))).toBe(408);
    expect([body.isCancelled, intake.held()]).toEqual([true, 0]);
  });
});

describe('all bodies under way', () => {
  test('hold no more than the total: the one that has been coming for longest gives way', async () => {
    const intake = createIntake({ totalBytes: 10 });
    const stalled = Array.from({ length: 8 }, () => countedBody('123456', { isWhole: false }));
    const outcomes: unknown[] = [];
    for (const [i, body] of stalled.entries()) {
      void outcome(intake.take(request(body), 6)).then((end) => void (outcomes[i] = end));
      await eventually(() => body.pulls === 2, { what: 'it to come as far as it will' });
      expect(intake.held()).toBeLessThanOrEqual(10);
    }
    expect(await outcome(intake.take(request(countedBody('1234')), 6))).toBe('1234');
    expect(outcomes).toEqual(Array.from({ length: 7 }, () => 408));
    expect(intake.held()).toBe(6);

    expect(await outcome(intake.take(request(countedBody('12345'), { 'content-length': '5' }), 6))).toBe('12345');
    expect([outcomes.length, intake.held()]).toEqual([8, 0]);
  });
});
