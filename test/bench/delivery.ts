import type { AnyEvent } from '#shared/events';
import type { AppId } from '../../services/local/machine/apps.ts';
import { bulkOf } from '../support/bulk.ts';
import type { RunningStack } from '../support/stack.ts';

/** Gives a service events as its sidecar does, at most 100: one alone, several as a batch. Throws when it refuses. */
export async function deliver(stack: RunningStack, appId: AppId, events: AnyEvent[]): Promise<void> {
  const envelopes = events.map((event) => ({ specversion: '1.0', id: event.event_id, data: event }));
  const response = await fetch(`http://127.0.0.1:${stack.ports[appId]}/events/created`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dapr-api-token': stack.secrets.APP_API_TOKEN },
    body: JSON.stringify(envelopes.length === 1 ? envelopes[0] : bulkOf(envelopes)),
  });
  const text = await response.text();
  if (!response.ok || text.includes('RETRY'))
    throw new Error(`${appId} answered ${response.status}: ${text.slice(0, 200)}`);
}
