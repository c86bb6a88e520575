import { called, ofKind, type Policy } from './objects.ts';

type Gateway = { listeners: { name: string; hostname?: string }[] };
type Certificate = { dnsNames: string[] };

/** One name wherever it is said: what the entrance listens to, what its certificate is for, and what the services go by. */
export const host: Policy = (objects) => {
  const urls = ofKind(objects, 'ConfigMap').flatMap(({ data }) => data?.['PUBLIC_URL'] ?? []);
  const gateways = ofKind<Gateway>(objects, 'Gateway');
  if (gateways.length === 0) return [];
  const [name] = urls.map((url) => URL.parse(url)?.hostname);
  const certified = ofKind<Certificate>(objects, 'Certificate').flatMap((object) =>
    object.spec.dnsNames.map((said) => ({ where: called(object), said })),
  );
  const listened = gateways.flatMap((object) =>
    object.spec.listeners.map(({ name: listener, hostname }) => ({
      where: `${called(object)} ${listener}`,
      said: hostname,
    })),
  );
  return [
    ...(urls.length === 1 && urls[0]?.startsWith('https://') ? [] : ['PUBLIC_URL must be said once, as https://…']),
    ...[...listened, ...certified]
      .filter(({ said }) => said !== name)
      .map(({ where, said }) => `${where}: must be for ${name ?? 'a host'}, got ${said ?? 'every name'}`),
  ];
};
