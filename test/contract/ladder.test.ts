import { expect, test } from 'bun:test';
import { ANSWER_MS, DELIVERY_MS, HANDLER_MS, STATEMENT_MS } from '#shared/ladder';
import { EVENTS_KEPT_DAYS } from '#shared/retention';
import { schema } from '../../services/notification-service/config.ts';
import { type Manifest, manifests } from './manifests.ts';

type Resiliency = Manifest & { spec: { policies?: { timeouts?: Record<string, string> } } };

test('each deadline ends before the one around it', () => {
  const ladder = [STATEMENT_MS, HANDLER_MS, ANSWER_MS, DELIVERY_MS];
  for (const [at, ms] of ladder.slice(1).entries()) expect(ms - (ladder[at] ?? 0)).toBeGreaterThanOrEqual(1000);
});

test('every sidecar gives a delivery up when the last of them has ended', () => {
  const timeouts = manifests.flatMap((manifest) =>
    manifest.kind === 'Resiliency' ? [(manifest as Resiliency).spec.policies?.timeouts] : [],
  );
  expect(timeouts.length).toBeGreaterThan(0);
  for (const timeout of timeouts) expect(timeout).toEqual({ delivery: `${DELIVERY_MS / 1000}s` });
});

test('a stream hears within a second that its session has ended', () => {
  expect(schema.properties.SESSION_CHECK_MS.default).toBeLessThan(1000);
});

test('events are kept in their topics, and rows in the inbox, as long as the code believes', () => {
  const topics = manifests.filter(({ kind }) => kind === 'KafkaTopic');
  const kept = topics.map(({ spec }) => (spec as { config?: Record<string, number> }).config?.['retention.ms']);
  expect(new Set(kept)).toEqual(new Set([EVENTS_KEPT_DAYS * 86_400_000]));
  expect(schema.properties.INBOX_DAYS.default).toBe(EVENTS_KEPT_DAYS);
});
