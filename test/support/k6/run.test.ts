import { afterAll, describe, expect, spyOn, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveLate } from './late.ts';
import { exitCodes, K6Error, type Outcome, runScript } from './run.ts';

const folder = await mkdtemp(join(tmpdir(), 'taskflow-k6-'));
const server = serveLate();
const BASE = server.url.origin;
afterAll(async () => {
  await server.stop(true);
  await rm(folder, { recursive: true, force: true });
});

let scripts = 0;

/** Runs a script of this text. */
async function run(text: string, env: Record<string, string> = {}): Promise<Outcome & { said: string[] }> {
  const path = join(folder, `${scripts++}.ts`);
  await Bun.write(path, text);
  const said: string[] = [];
  const outcome = await runScript(path, { env: { BASE, ...env }, say: (line) => void said.push(line) });
  return { ...outcome, said };
}

/** Why it does not start. */
async function refusal(text: string): Promise<{ exitCode: number; message: string }> {
  const error = await run(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof K6Error)) throw new Error('it has started', { cause: error });
  return { exitCode: error.exitCode, message: error.message };
}

const once = `scenarios: { one: { executor: 'shared-iterations', vus: 1, iterations: 1 } }`;
const head = `import http from 'k6/http'; import exec from 'k6/execution'; import { check } from 'k6'; import { Counter, Rate } from 'k6/metrics';\n`;
const plain = (body: string) =>
  `${head}export const options = { ${once} };\nexport default async function () { ${body} }`;

describe('a script that would not start under k6, or uses what the scripts here do not', () => {
  test.each([
    [`import { sleep } from 'k6'; export default sleep;`, 'sleep'],
    [`import ws from 'k6/ws'; export default ws;`, 'unknown module: k6/ws'],
    [`import lib from 'https://example.com/lib.js'; export default lib;`, 'unknown module: https://example.com/lib.js'],
    [`import { readFileSync } from 'node:fs'; export default readFileSync;`, 'unknown module: node:fs'],
    [`import { Elysia } from 'elysia'; export default Elysia;`, 'unknown module: elysia'],
    [`import { x } from './metrics'; export default x;`, 'unknown module: ./metrics'],
    [`const x = ; export default x;`, 'Unexpected ;'],
    [`const at = performance.now(); export default at;`, 'performance'],
    [`new URL('http://localhost'); export default 1;`, 'URL'],
    [`fetch('http://localhost'); export default 1;`, 'fetch'],
    [`export default process.env;`, 'process'],
    [`export default new Intl.DateTimeFormat();`, 'Intl'],
    [`${head}http.asyncRequest('GET', 'http://localhost'); export default 1;`, 'init context'],
  ])('ends with the code of an error in the script: %s', async (text, why) => {
    expect(await refusal(text)).toEqual({ exitCode: exitCodes.script, message: expect.stringContaining(why) });
  });

  test.each([
    [`{ vus: 5, ${once} }`, 'options.vus'],
    [`{ scenarios: { one: { executor: 'externally-controlled' } } }`, 'externally-controlled'],
    [`{ scenarios: { one: { executor: 'shared-iterations', rate: 3 } } }`, 'rate'],
    [`{ scenarios: { one: { executor: 'constant-arrival-rate', rate: 1 } } }`, 'duration'],
    [`{ scenarios: { one: { executor: 'shared-iterations', maxDuration: '0.5s' } } }`, 'at least 1s'],
    [`{ ${once}, thresholds: { checks: ['rate=1'] } }`, `invalid threshold 'rate=1'`],
    [`{ ${once}, thresholds: { nothing: ['rate==1'] } }`, `invalid metric 'nothing'`],
    [`{}`, 'options.scenarios'],
  ])('ends with the code of its options: %s', async (options, why) => {
    const text = `export const options = ${options}; export default function () {}`;
    expect(await refusal(text)).toEqual({ exitCode: exitCodes.options, message: expect.stringContaining(why) });
  });

  test.each([
    "http.get('http://localhost')",
    'exec.instance.vusActive',
    'exec.vu.tags',
    "(await http.asyncRequest('GET', __ENV.BASE + '/200')).timings",
  ])('says so when it comes to it: %s', async (statement) => {
    const { said } = await run(plain(statement));
    expect(said.join('\n')).toMatch(/is not known to this runner|undefined is not/);
  });
});

describe('what virtual users have', () => {
  test('is a copy of all modules each, one SharedArray for all, and what setup answered as a copy', async () => {
    await Bun.write(join(folder, 'kept.ts'), 'export const kept = { count: 0 };');
    const { failed, said } = await run(`${head}
      import { SharedArray } from 'k6/data';
      import { kept } from './kept.ts';
      const list = new SharedArray('list', () => { console.log('made'); return [{ a: 1 }]; });
      const [counts, copies] = [new Counter('counts'), new Counter('copies')];
      export const options = {
        scenarios: { each: { executor: 'per-vu-iterations', vus: 3, iterations: 2 } },
        thresholds: { counts: ['count==9'], copies: ['count==3'], iterations: ['count==6'] },
      };
      export const setup = async () => ({ seen: false });
      export default function (data) {
        kept.count++;
        counts.add(kept.count); // 1 + 2 for each of three
        if (!data.seen) copies.add(list.length);
        data.seen = true;
      }`);
    expect({ failed, said }).toEqual({ failed: [], said: ['made'] });
  });

  test('are numbers of their own, and those of their iterations', async () => {
    const { outputs } = await run(`${head}
      const numbers = new Counter('numbers');
      export const options = {
        scenarios: { each: { executor: 'per-vu-iterations', vus: 3, iterations: 1 } },
        thresholds: { 'numbers{what:id}': ['count==6'], 'numbers{what:test}': ['count==3'], 'numbers{scenario:each}': ['count==9'] },
      };
      export default function () {
        numbers.add(exec.vu.idInTest, { what: 'id' });
        numbers.add(exec.scenario.iterationInTest, { what: 'test' });
      }
      export const handleSummary = ({ metrics }) => ({ stdout: Object.keys(metrics).join(' '), 'x.json': '{}' });`);
    expect(outputs).toEqual({ stdout: expect.stringContaining('numbers{what:id}'), 'x.json': '{}' });
  });
});

describe('a request', () => {
  test('is counted by its name, with its duration and whether it failed', async () => {
    const { failed } = await run(`${head}
      export const options = { ${once}, thresholds: {
        'http_reqs{name:good}': ['count==1'], 'http_reqs{status:503}': ['count==1'], http_req_failed: ['rate==0.5'],
        'http_req_duration{name:good}': ['min>=49', 'max<5000'], checks: ['rate==1'] } };
      export default async function () {
        const [good, bad] = await Promise.all([
          http.asyncRequest('GET', __ENV.BASE + '/200?ms=50', null, { tags: { name: 'good' } }),
          http.asyncRequest('POST', __ENV.BASE + '/503', '{}'),
        ]);
        check(good, { body: ({ status, body }) => status === 200 && JSON.parse(body).answer === 1 });
        check(bad, { status: ({ status }) => status === 503 });
      }`);
    expect(failed).toEqual([]);
  });

  test.each([
    ['nobody listens', `'http://127.0.0.1:1/'`, '{}', 'Unable to connect'],
    ['nothing comes in time', `__ENV.BASE + '/200?ms=5000'`, `{ timeout: '50ms' }`, 'request timeout'],
  ])('has status 0 and a reason when %s', async (_, url, params, reason) => {
    const { failed, said } = await run(`${head}
      export const options = { ${once}, thresholds: { http_req_failed: ['rate==1'], checks: ['rate==1'] } };
      export default async function () {
        const answer = await http.asyncRequest('GET', ${url}, null, ${params});
        check(answer, { status: ({ status, error }) => status === 0 && error !== '' });
      }`);
    expect({ failed, said }).toEqual({ failed: [], said: [expect.stringContaining(reason)] });
  });
});

describe('constant-arrival-rate', () => {
  const arrivals = (vus: number, thresholds: string) => `${head}
    export const options = {
      scenarios: { arrivals: { executor: 'constant-arrival-rate', rate: 10, timeUnit: '1s', duration: '1s', preAllocatedVUs: ${vus}, gracefulStop: '5s' } },
      thresholds: { ${thresholds} },
    };
    export default () => http.asyncRequest('GET', __ENV.BASE + '/200?ms=1100');`;

  test('begins iterations in time though no earlier one has ended', async () => {
    const { failed } = await run(arrivals(12, `iterations: ['count>=10'], dropped_iterations: ['count==0']`));
    expect(failed).toEqual([]);
  });

  test('drops those for which no virtual user is free, and says so by its metric', async () => {
    const { failed, exitCode } = await run(arrivals(2, `iterations: ['count==2'], dropped_iterations: ['count==0']`));
    expect({ failed, exitCode }).toEqual({ failed: ['dropped_iterations count==0'], exitCode: exitCodes.thresholds });
  });
});

describe('a run', () => {
  test('interrupts what takes longer than it may, and does not count it', async () => {
    const { failed } = await run(`${head}
      export const options = {
        scenarios: { one: { executor: 'per-vu-iterations', vus: 2, iterations: 1, maxDuration: '1s', gracefulStop: '50ms' } },
        thresholds: { iterations: ['count==0'], http_reqs: ['count==0'] },
      };
      export default () => http.asyncRequest('GET', __ENV.BASE + '/200?ms=5000');`);
    expect(failed).toEqual([]);
  });

  test('leaves nothing at the signal that ends it: a long one would be slower with each iteration', async () => {
    // The runtime's own, watched and not replaced.
    using added = spyOn(AbortSignal.prototype, 'addEventListener');
    using removed = spyOn(AbortSignal.prototype, 'removeEventListener');
    using joined = spyOn(AbortSignal, 'any');
    await run(`${head}
      export const options = { scenarios: { many: { executor: 'shared-iterations', vus: 2, iterations: 20 } } };
      export default () => http.asyncRequest('GET', __ENV.BASE + '/200');`);
    const [listeners, gone] = [added, removed].map(({ mock }) => new Set(mock.calls.map(([, listener]) => listener)));
    expect(listeners?.size).toBeGreaterThanOrEqual(20);
    expect(listeners?.difference(gone ?? new Set()).size).toBe(0);
    expect(joined).not.toHaveBeenCalled();
  });

  test('counts an iteration that throws, and says what', async () => {
    const { failed, said } = await run(`${head}
      export const options = { ${once}, thresholds: { iterations: ['count==1'] } };
      export default function () { throw new Error('no such luck'); }`);
    expect({ failed, said }).toEqual({ failed: [], said: [expect.stringContaining('no such luck')] });
  });

  test('takes a check that throws for one that failed', async () => {
    const { failed } = await run(`${head}
      export const options = { ${once}, thresholds: { checks: ['rate==1'] } };
      export default function () { check(null, { 'is there': (value) => value.length > 0 }); }`);
    expect(failed).toEqual(['checks rate==1']);
  });

  test('is ended by a threshold that says so', async () => {
    const from = performance.now();
    const { failed } = await run(`${head}
      const good = new Rate('good');
      export const options = {
        scenarios: { long: { executor: 'constant-arrival-rate', rate: 20, duration: '60s', preAllocatedVUs: 1 } },
        thresholds: { good: [{ threshold: 'rate>0.9', abortOnFail: true, delayAbortEval: '100ms' }] },
      };
      export default function () { good.add(false); }`);
    expect(failed).toEqual(['good rate>0.9']);
    expect(performance.now() - from).toBeLessThan(15_000);
  });
});
