import { apps as services } from '../../../services/local/machine/apps.ts';
import { environmentOf } from './settings.ts';
import { called, deployments, type KubeObject, ofKind, type Policy } from './objects.ts';

/** The page has a server in a cluster alone. */
const apps: { appId: string; port: number }[] = [...services, { appId: 'web', port: 8005 }];

type Service = { ports: { port: number; targetPort: string | number }[] };
type Route = { rules: { backendRefs?: { name: string; port: number }[] }[] };

/** One port of each service, wherever it is said: its setting, its container, its Service, the routes to that. */
export const ports: Policy = (objects) => [...ofDeployments(objects), ...ofServices(objects), ...ofRoutes(objects)];

const ofDeployments: Policy = (objects) =>
  deployments(objects).flatMap(({ object, pod }) => {
    const port = apps.find(({ appId }) => appId === object.metadata.name)?.port;
    const [container] = pod.containers;
    const declared = container?.ports?.find(({ name }) => name === 'http')?.containerPort;
    const listened = container && Number(environmentOf(container, objects).environment['PORT'] ?? port);
    return [
      ...(declared === port ? [] : [`${called(object)}: containerPort http must be ${port}, got ${declared}`]),
      ...(listened === port ? [] : [`${called(object)}: PORT must be ${port}, got ${listened}`]),
    ];
  });

const ofServices: Policy = (objects) =>
  ofKind<Service>(objects, 'Service').flatMap((service) =>
    service.spec.ports
      .filter(({ port, targetPort }) => port !== 80 || targetPort !== 'http')
      .map(
        ({ port, targetPort }) => `${called(service)}: must lead from 80 to http, not from ${port} to ${targetPort}`,
      ),
  );

function ofRoutes(objects: KubeObject[]): string[] {
  const services = new Map(ofKind<Service>(objects, 'Service').map(({ metadata, spec }) => [metadata.name, spec]));
  return ofKind<Route>(objects, 'HTTPRoute').flatMap((route) =>
    route.spec.rules
      .flatMap(({ backendRefs }) => backendRefs ?? [])
      .filter(({ name, port }) => !services.get(name)?.ports.some((one) => one.port === port))
      .map(({ name, port }) => `${called(route)}: there is no port ${port} of a Service ${name}`),
  );
}
