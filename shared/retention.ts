/** How long an event is kept where it can be had again: in its topic (`gitops/data/base/topics.yaml`), outbox and inbox. */
export const EVENTS_KEPT_DAYS = 7;
