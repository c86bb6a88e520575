/** A service as it says of itself. `answers`: nothing but its document could be asked for. */
export type Running = {
  name: string;
  status: 'ready' | 'answers' | 'degraded' | 'unready' | 'away';
  version: string;
  commit: string;
  /** `ok`, or why not. */
  checks: Record<string, string>;
};

type Said = Partial<Omit<Running, 'name'>> & Pick<Running, 'status'>;

/** Where each service that people reach describes itself: it is there in a cluster, too, where no health is to be had from outside. */
const documents: [name: string, path: string][] = [
  ['chat-api', '/api/v1/openapi.json'],
  ['notification-service', '/api/v1/notifications/openapi.json'],
  ['reminder-service', '/api/v1/reminders/openapi.json'],
  ['audit-logger', '/api/v1/audit/openapi.json'],
];

/** What each service says, those in trouble first; null: nobody answers at all. */
export async function lookAround(): Promise<Running[] | null> {
  const health = await ask<{ services: Record<string, Said> }>('/health');
  if (!health) return null;
  const told = Object.entries(health.services).map(([name, said]) => running(name, said));
  const untold = documents.filter(([name]) => !(name in health.services));
  const asked = await Promise.all(untold.map(([name, path]) => describe(name, path)));
  return [...told, ...asked].sort((a, b) => Number(isWell(a)) - Number(isWell(b)));
}

export const isWell = ({ status }: Running): boolean => !['unready', 'away'].includes(status);

/** Of all together. */
export function sentenceOf(found: Running[]): string {
  const namesOf = (ones: Running[]) => ones.map(({ name }) => name).join(', ');
  const troubled = found.filter((one) => !isWell(one));
  const degraded = found.filter(({ status }) => status === 'degraded');
  if (troubled.length > 0) return `In trouble: ${namesOf(troubled)}.`;
  return degraded.length > 0 ? `Everything runs, with something missing: ${namesOf(degraded)}.` : 'Everything runs.';
}

const running = (name: string, { version = '', commit = '', checks = {}, status }: Said): Running => ({
  ...{ name, status, version, commit, checks },
});

async function describe(name: string, path: string): Promise<Running> {
  const document = await ask<{ info?: { version: string } }>(path);
  return running(name, document?.info ? { status: 'answers', version: document.info.version } : { status: 'away' });
}

/** Health says what it has to say with 503, too. */
async function ask<T>(path: string): Promise<T | null> {
  try {
    return (await (await fetch(path)).json()) as T;
  } catch {
    return null; // no network, or no JSON: whoever answered is not ours
  }
}
