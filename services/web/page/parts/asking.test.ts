import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import { ApiError } from '../api.ts';
import { asking } from './asking.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const turns = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

/** Answers as it is told, one after the other. */
function start(...answers: (string | ApiError)[]) {
  const said: string[] = [];
  let asked = 0;
  const ask = async () => {
    const answer = answers[asked++] ?? '';
    if (typeof answer !== 'string') throw answer;
    return answer;
  };
  const stop = asking(
    ask,
    (answer) => said.push(answer),
    ({ message }) => said.push(message),
  );
  return { said, stop, asked: () => asked };
}
const away = new ApiError(0, 'OFFLINE', 'Away.');

test('what nobody can answer is asked again until somebody does; why not is said once', async () => {
  const { said, asked } = start(away, away, new ApiError(503, 'BUSY', 'Busy.', 1_000), 'here');
  for (const ms of [5_000, 5_000, 1_000, 60_000]) {
    await turns();
    jest.advanceTimersByTime(ms);
  }
  expect([said, asked()]).toEqual([['Away.', 'Busy.', 'here'], 4]);
});

test('what is refused for good is not asked again, nor what is not wanted any more, whose answer is dropped', async () => {
  const [refused, stopped, late] = [start(new ApiError(404, 'NONE', 'None.')), start(away), start('late')];
  late.stop();
  await turns();
  stopped.stop();
  jest.advanceTimersByTime(60_000);
  await turns();
  expect([refused, stopped, late].map(({ said, asked }) => [said, asked()])).toEqual([
    [['None.'], 1],
    [['Away.'], 1],
    [[], 1],
  ]);
});
