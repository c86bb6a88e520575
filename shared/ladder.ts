// Who waits for whom, in ms: each a second longer than what it waits for, so that the innermost decides and says why.

/** A consumer's statement for a batch. One that hangs fails before its events are offered again. */
export const STATEMENT_MS = 7000;
/** A consumer's handler, which then answers RETRY. A whole body, too, must have come by then. */
export const HANDLER_MS = 8000;
/** Any answer: after this the edge gives its own, 503. */
export const ANSWER_MS = 9000;
/** A delivery, after which the sidecar gives it up (`gitops/base/dapr/resiliency.yaml`). */
export const DELIVERY_MS = 10_000;
