/** Where the build put the worker. Its name carries what it holds: an older tab keeps its older worker. */
declare const STREAM_WORKER: string;

export const streamWorker = STREAM_WORKER;
export const serviceWorker = '/sw.js';

/** Of the DOM, where TypeScript's own library does not know it yet. */
type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
};

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };

const policy = trustedTypes?.createPolicy('taskflow', {
  createScriptURL(url) {
    if (url !== streamWorker && url !== serviceWorker) throw new TypeError('no script but our own workers');
    return url;
  },
});

/** The one way by which text becomes the address of a script (Trusted Types): there are two of them. */
export const scriptUrl = (url: string): string => (policy ? (policy.createScriptURL(url) as string) : url);
