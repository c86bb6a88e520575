import { type Consumer, consumers } from '#shared/events';
import { apps } from '../../../services/local/machine/apps.ts';
import { called, deployments, type KubeObject, ofKind, type Policy } from './objects.ts';

const isConsumer = (appId: string): appId is Consumer => appId in consumers;

/**
 * What each pod tells Dapr's injector. A service whose annotations are gone has no sidecar (`components/phase4`,
 * `components/without-sidecar`): that is for chat-api alone, and then it publishes nothing.
 */
export const sidecars: Policy = (objects) => {
  const there = deployments(objects).map(({ object }) => object.metadata.name);
  const missing = apps
    .filter(({ appId }) => !there.includes(appId))
    .map(({ appId }) => `Deployment/${appId} is missing`);
  return [...missing, ...ofDeployments(objects)];
};

const ofDeployments: Policy = (objects) => {
  const configurations = ofKind(objects, 'Configuration').map(({ metadata }) => metadata.name);
  return deployments(objects).flatMap(({ object, annotations, pod }) => {
    const appId = object.metadata.name;
    const wrong = (reason: string) => `${called(object)}: ${reason}`;
    if (appId === 'web')
      // the page alone
      return Object.keys(annotations).some((name) => name.startsWith('dapr.io/')) ? [wrong('needs no sidecar')] : [];
    if (Object.keys(annotations).length === 0)
      return isWithoutSidecar(objects, appId, object.spec.replicas) ? [] : [wrong('the annotations of Dapr are gone')];
    const port = String(pod.containers[0]?.ports?.[0]?.containerPort);
    const expected: Record<string, string | undefined> = {
      'dapr.io/enabled': 'true',
      'dapr.io/app-id': appId,
      'dapr.io/app-port': isConsumer(appId) ? port : undefined,
      'dapr.io/app-protocol': isConsumer(appId) ? 'http' : undefined,
      'dapr.io/app-max-concurrency': isConsumer(appId) ? '1' : undefined,
      'dapr.io/app-token-secret': isConsumer(appId) ? 'app-api-token' : undefined,
      'dapr.io/api-token-secret': 'dapr-api-token',
      'dapr.io/disable-builtin-k8s-secret-store': 'true',
      'dapr.io/disable-init-endpoints': 'config,subscribe',
      // Classic sidecars end together with their app; a native one would deliver to an app that is gone.
      'dapr.io/enable-native-sidecar': undefined,
    };
    const unlike = Object.entries(expected).filter(([name, value]) => annotations[name] !== value);
    const missing = [
      'sidecar-cpu-request',
      'sidecar-memory-request',
      'sidecar-memory-limit',
      'graceful-shutdown-seconds',
    ]
      .map((name) => `dapr.io/${name}`)
      .filter((name) => !annotations[name]);
    return [
      ...unlike.map(([name, value]) =>
        wrong(`${name} must be ${value ?? 'absent'}, got ${annotations[name] ?? 'nothing'}`),
      ),
      ...missing.map((name) => wrong(`${name} is missing`)),
      ...(configurations.includes(annotations['dapr.io/config'] ?? '')
        ? []
        : [wrong(`dapr.io/config names no Configuration: ${annotations['dapr.io/config']}`)]),
    ];
  });
};

function isWithoutSidecar(objects: KubeObject[], appId: string, replicas: number | undefined): boolean {
  if (replicas === 0) return true;
  const events = ofKind(objects, 'ConfigMap').flatMap(({ data }) => data?.['EVENTS'] ?? []);
  return appId === 'chat-api' && events.length > 0 && !events.includes('on');
}
