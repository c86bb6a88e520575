import type { Tags } from './metrics.ts';
import { refusing } from './refusing.ts';
import { readDuration } from './thresholds.ts';

type Params = { headers?: Record<string, string>; tags?: Tags; timeout?: string };

type Sent = { method: string; url: string; body: string | null; params: Params };

/** Of the iteration that a request belongs to. */
type Caller = { signal: AbortSignal; add(metric: string, value: number, tags?: Tags): void };

const knownParams = ['headers', 'tags', 'timeout'];
const TIMEOUT = '60s';

/**
 * `http.asyncRequest` of k6: it never rejects for what the network or the server does. An answer without status is 0, with the
 * reason in `error`; below 200 and from 400 on it counts as failed. Its metrics are tagged `name`, the address unless given.
 */
export function createRequest({ begin, say }: { begin(name: string): Caller; say(line: string): void }) {
  return (method: string, url: string, body: string | null = null, params: Params = {}) => {
    const caller = begin('asyncRequest');
    const stranger = Object.keys(params).find((key) => !knownParams.includes(key));
    if (stranger !== undefined) throw new Error(`params.${stranger} is not known to this runner`);
    return send(caller, { method, url, body, params });
  };

  async function send({ signal, add }: Caller, { method, url, body, params }: Sent) {
    const { headers = {}, tags = {}, timeout = TIMEOUT } = params;
    // Not AbortSignal.timeout and .any: each would stay at the signal of the run until its time has come.
    const either = new AbortController();
    let isLate = false;
    const cut = () => either.abort();
    const timer = setTimeout(() => {
      isLate = true;
      cut();
    }, readDuration(timeout));
    signal.addEventListener('abort', cut);
    if (signal.aborted) cut();
    const from = performance.now();
    const answer = await exchange(url, { method, headers, body, signal: either.signal });
    clearTimeout(timer);
    signal.removeEventListener('abort', cut);
    const error = isLate && answer.status === 0 ? 'request timeout' : answer.error;
    if (error !== '' && !signal.aborted) say(`Request Failed: ${method} ${url}: ${error}`);
    const isFailed = answer.status < 200 || answer.status > 399;
    const all = { name: url, method, status: `${answer.status}`, expected_response: `${!isFailed}`, ...tags };
    add('http_reqs', 1, all);
    add('http_req_duration', performance.now() - from, all);
    add('http_req_failed', Number(isFailed), all);
    return refusing('response', { ...answer, error });
  }
}

async function exchange(
  url: string,
  init: RequestInit,
): Promise<{ status: number; body: string | null; error: string }> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, body: await response.text(), error: '' };
  } catch (error) {
    return { status: 0, body: null, error: error instanceof Error ? error.message : String(error) };
  }
}
