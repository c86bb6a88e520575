import { expect, test } from 'bun:test';
import type { Figures } from './findings.ts';
import type { Verdict } from './perform.ts';
import { unsaturated } from './saturation.ts';
import { row } from './table.ts';

const figures: Figures = {
  ...{ created: 0, tasks: 0, events: 0, inbox: 0, audit: 0, scheduled: 0, sent: 0, heard: 0, poison: 0 },
  ...{ lost: [], doubled: [], disordered: [], dead: [], ended: [], refused: {}, lateMs: 10 },
  duplicates: { 'chat-api': 0, 'notification-service': 0, 'reminder-service': 0, 'audit-logger': 0 },
  recovery: { outbox: 0, inbox: 0, audit: 0, schedule: 0 },
};
const drill = { name: 'a-drill', about: '', seconds: 1, run: async () => {} };

/** Runs of which each finds what is told. */
async function runs(...found: Partial<Figures>[]) {
  const rates: number[] = [];
  const said: string[] = [];
  const run = async (rate: number): Promise<Verdict> => {
    rates.push(rate);
    const own = { ...figures, ...found[rates.length - 1] };
    const reasons = [...own.lost, ...Object.keys(own.refused)];
    return { drill, rate, outcome: reasons.length > 0 ? 'failed' : 'passed', reasons, seconds: 1, figures: own };
  };
  const verdict = await unsaturated(100, run, (line) => said.push(line));
  return { verdict, rates, said };
}

const late = { lateMs: 251 };

test('runs once while the machine follows, whatever is found', async () => {
  expect((await runs({})).rates).toEqual([100]);
  expect((await runs({ lost: ['an event'] })).rates).toEqual([100]);
});

test('runs again at half the rate after a saturated one, whose reasons are told and do not count', async () => {
  const { verdict, rates, said } = await runs({ ...late, refused: { 'POST 503': 1 } }, {});
  expect(rates).toEqual([100, 50]);
  expect(verdict).toMatchObject({ outcome: 'passed', rate: 50, saturatedAt: [100] });
  expect(said).toEqual(['the machine was saturated: again at half the rate', 'not counted: POST 503']);
});

test.each(['lost', 'doubled', 'disordered', 'dead', 'ended'] as const)('counts what is %s also then', async (what) => {
  const { verdict, rates } = await runs({ ...late, [what]: ['an event'] });
  expect(rates).toEqual([100]);
  expect(verdict.figures?.[what]).toEqual(['an event']);
  expect(row(verdict)).toEndWith('(at 100 a second the machine was saturated)');
});

test('tells in its row when the second is saturated too', async () => {
  const { verdict } = await runs(late, late);
  expect(row(verdict)).toEndWith('(at 100 and 50 a second the machine was saturated)');
});
