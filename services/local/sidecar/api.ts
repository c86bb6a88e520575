import { setTimeout as sleep } from 'node:timers/promises';
import { showsAppToken } from '#shared/app-token';
import { toResponse } from '#shared/errors';
import { completeUrl, hostRefusal } from '#shared/host';
import { DaprError } from './dapr-error.ts';
import { invoke } from './invoke.ts';
import type { Manifests } from './manifests.ts';
import { failed, notFound, publish, publishBulk, type Publishing } from './publish.ts';
import type { Sidecar, Sidecars } from './sidecar.ts';

export type Api = {
  manifests: Manifests;
  publishing: Publishing;
  sidecars: () => Sidecars;
  daprApiToken: string | null;
  appApiToken: string | null;
};

/** When daprd gives up on a frozen broker, with the time-outs of `pubsub.yaml` (8.1 s measured on 1.18.2). */
const FROZEN_MS = 8000;
const INVOKE_RETRIES = 3;
const INVOKE_RETRY_MS = 1000;

/** Not as daprd, which answers to any name: here web pages run on the same machine. */
const misdirected = hostRefusal({ host: '127.0.0.1', publicUrl: '' });

/** Answers one request to one sidecar: the part of Dapr's HTTP API that TaskFlow uses (docs.dapr.io, reference/api). */
export async function answer(api: Api, sidecar: Sidecar, request: Request): Promise<Response> {
  completeUrl(request);
  const refused = misdirected(request);
  if (refused) return toResponse(refused);
  try {
    return await route(api, sidecar, request);
  } catch (error) {
    if (error instanceof DaprError) return error.toResponse();
    throw error;
  }
}

function route(api: Api, sidecar: Sidecar, request: Request): Response | Promise<Response> {
  const { pathname, search, searchParams } = new URL(request.url);
  const { method } = request;

  if (method === 'GET' && pathname === '/v1.0/healthz') return health(sidecar, searchParams.get('appid'));
  if (method === 'GET' && pathname === '/v1.0/healthz/outbound') return noContent();
  if (api.daprApiToken && !showsAppToken(request, [api.daprApiToken]))
    return new Response('invalid api token\n', { status: 401 });

  const served = (version: string, name: string) =>
    api.manifests.configuration.allowedApis?.has(`${version}/${name}`) ?? true;
  const publishes = method === 'POST' || method === 'PUT';

  const bulk = /^\/v1\.0(-alpha1)?\/publish\/bulk\/([^/]+)\/(.+)$/.exec(pathname);
  if (bulk && publishes && served(bulk[1] ? 'v1alpha1' : 'v1', 'publish'))
    return withFaults(api, sidecar, targetOf(sidecar, bulk[2], bulk[3]), (target) =>
      publishBulk(request, target, api.publishing),
    );

  const single = /^\/v1\.0\/publish\/([^/]+)\/(.+)$/.exec(pathname);
  if (single && publishes && served('v1', 'publish'))
    return withFaults(api, sidecar, targetOf(sidecar, single[1], single[2]), (target) =>
      publish(request, target, api.publishing),
    );

  const invoked = /^\/v1\.0\/invoke\/([^/]+)\/method(\/.*)$/.exec(pathname);
  if (invoked && served('v1', 'invoke'))
    return slowly(sidecar, async () => {
      const targetId = decodeURIComponent(invoked[1] ?? '');
      const target = await reachable(api.sidecars(), targetId);
      const call = { target, targetId, path: invoked[2] ?? '/', query: search };
      const { accessControl } = api.manifests.configuration;
      return invoke(request, sidecar.appId, call, { accessControl, appApiToken: api.appApiToken });
    });

  if (method === 'GET' && pathname === '/v1.0/metadata' && served('v1', 'metadata'))
    return Response.json(metadata(api.manifests, sidecar));
  if (method === 'POST' && pathname === '/v1.0/shutdown' && served('v1', 'shutdown')) {
    setImmediate(() => sidecar.setFaults({ state: 'off' }));
    return noContent();
  }
  // What is not served falls through to service invocation, in daprd too.
  throw new DaprError(
    404,
    'ERR_DIRECT_INVOKE',
    'failed getting app id either from the URL path or the header dapr-app-id',
  );
}

const targetOf = ({ appId }: Sidecar, pubsub = '', topic = '') => ({
  appId,
  pubsub: decodeURIComponent(pubsub),
  topic: decodeURIComponent(topic),
});

async function withFaults(
  { sidecars }: Api,
  sidecar: Sidecar,
  target: ReturnType<typeof targetOf>,
  work: (target: ReturnType<typeof targetOf>) => Promise<Response>,
): Promise<Response> {
  const isHanging = () => sidecar.faults.publish === 'hang' && sidecar.isOn();
  return isHanging() ? Promise.race([workWithFaults(), timeIsUp()]) : workWithFaults();

  async function workWithFaults(): Promise<Response> {
    // What hung is written when the broker is back, whether or not the publisher still waits for the answer.
    while (isHanging()) await sidecars().changed();
    if (!sidecar.isOn()) throw failed(target, 'the sidecar ended');
    if (sidecar.faults.publish === 'absent') throw notFound(target.pubsub);
    if (sidecar.faults.publish === 'fail') throw failed(target, 'circuit breaker is open');
    return slowly(sidecar, () => work(target));
  }

  async function timeIsUp(): Promise<never> {
    await sleep(FROZEN_MS, null, { ref: false });
    throw failed(target, 'kafka: client has run out of available brokers to talk to: i/o timeout');
  }
}

/** A sidecar that cannot be reached is asked again as daprd does (pkg/messaging/direct_messaging.go); an unknown app is not. */
async function reachable(sidecars: Sidecars, appId: string): Promise<Sidecar | undefined> {
  for (let retries = 0; ; retries++) {
    const target = sidecars.next(appId);
    if (target || retries === INVOKE_RETRIES || !sidecars.of(appId).length) return target;
    await sleep(INVOKE_RETRY_MS);
  }
}

async function slowly(sidecar: Sidecar, work: () => Promise<Response>): Promise<Response> {
  if (sidecar.faults.slow_ms) await sleep(sidecar.faults.slow_ms);
  return work();
}

function health(sidecar: Sidecar, appId: string | null): Response {
  if (!sidecar.isReady()) throw new DaprError(500, 'ERR_HEALTH_NOT_READY', 'dapr is not ready: [app]');
  if (appId !== null && appId !== sidecar.appId)
    throw new DaprError(500, 'ERR_HEALTH_APPID_NOT_MATCH', 'dapr app-id does not match');
  return noContent();
}

function metadata({ pubsub, subscriptions }: Manifests, { appId, appPort, faults }: Sidecar) {
  const component = { name: pubsub.name, type: pubsub.type, version: pubsub.version, capabilities: ['BULK_PUBSUB'] };
  return {
    id: appId,
    runtimeVersion: '1.18.2',
    // daprd leaves out what is empty.
    ...(faults.publish !== 'absent' && { components: [component] }),
    subscriptions: subscriptions
      .filter(({ appIds }) => appIds.includes(appId))
      .map(({ topic, route, deadLetterTopic }) => ({
        pubsubname: pubsub.name,
        topic,
        rules: [{ path: route }],
        deadLetterTopic: deadLetterTopic ?? '',
        type: 'DECLARATIVE',
      })),
    ...(appPort !== null && {
      appConnectionProperties: { port: appPort, protocol: 'http', channelAddress: '127.0.0.1' },
    }),
  };
}

const noContent = () => new Response(null, { status: 204 });
