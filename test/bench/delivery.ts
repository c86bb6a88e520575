import type { AnyEvent } from '#shared/events';
import type { AppId } from '../../services/local/machine/apps.ts';
import { bulkOf } from '../support/bulk.ts';
import type { RunningStack } from '../support/stack.ts';

/** What a sidecar asks again, a service that has no time gets as often here. */
const ATTEMPTS = 10;

/** Gives a service events as its sidecar does, at most 100: one alone, several as a batch. Throws when it goes on refusing. */
export async function deliver(stack: RunningStack, appId: AppId, events: AnyEvent[]): Promise<void> {
  const envelopes = events.map((event) => ({ specversion: '1.0', id: event.event_id, data: event }));
  const delivery = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dapr-api-token': stack.secrets.APP_API_TOKEN },
    body: JSON.stringify(envelopes.length === 1 ? envelopes[0] : bulkOf(envelopes)),
  };
  let said = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const response = await fetch(`http://127.0.0.1:${stack.ports[appId]}/events/created`, delivery);
    const text = await response.text();
    if (response.ok && !text.includes('RETRY')) return;
    said = `${response.status}: ${text.slice(0, 200)}`;
  }
  throw new Error(`${appId} answered ${said}`);
}
