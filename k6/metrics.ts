import http from 'k6/http';
import { address } from './settings.ts';

/** How the notification service names its open streams. */
export const OPEN_STREAMS = 'taskflow_streams_open';
/** Of every service: what the kernel holds of it in memory, in bytes. */
export const RESIDENT_BYTES = 'process_resident_memory_bytes';

/** Of one instance, not of a balancer in front of several: each counts what is its own. */
const METRICS_URL = address('METRICS_URL', 'http://localhost:8001/metrics');

/** The value of a gauge without labels of its own (Prometheus text); 0 when it cannot be read, which no threshold takes for good. */
export async function gauge(name: string): Promise<number> {
  const { status, body } = await http.asyncRequest('GET', METRICS_URL, null, { tags: { name: 'metrics' } });
  const [, value] = status === 200 ? (new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(`${body}`) ?? []) : [];
  return Number(value ?? 0);
}
