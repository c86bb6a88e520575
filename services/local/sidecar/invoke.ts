import { hostname } from 'node:os';
import { readBody } from './body.ts';
import { DaprError } from './dapr-error.ts';
import { childTraceparent } from './envelope.ts';
import type { AccessControl } from './manifests.ts';
import type { Sidecar } from './sidecar.ts';

/** Where gitops puts all services. */
const NAMESPACE = 'taskflow';

/** RFC 7230 section 6.1, and what belongs to the hop between app and sidecar. */
const HOP_HEADERS = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'host', 'dapr-api-token', 'dapr-app-id'],
];

/**
 * Service invocation: passes method, path, query, headers and body to the app of `target`, and its status, headers and
 * body back. Throws DaprError (ERR_DIRECT_INVOKE) when it is refused or not there.
 */
export async function invoke(
  request: Request,
  caller: string,
  { target, targetId, path, query }: { target: Sidecar | undefined; targetId: string; path: string; query: string },
  { accessControl, appApiToken }: { accessControl: AccessControl | null; appApiToken: string | null },
): Promise<Response> {
  if (!target) throw failed(targetId, `couldn't find service: ${targetId}`);
  if (!permits(accessControl, caller, path, request.method))
    throw failed(
      targetId,
      `rpc error: code = PermissionDenied desc = access control policy has denied access to id: ${caller} operation: ${path} verb: ${request.method}`,
      403,
    );
  const headers = new Headers(request.headers);
  for (const name of HOP_HEADERS) headers.delete(name);
  headers.set('traceparent', childTraceparent(request.headers.get('traceparent')));
  addForwarded(headers);
  headers.set('dapr-caller-app-id', caller);
  headers.set('dapr-caller-namespace', NAMESPACE);
  headers.set('dapr-callee-app-id', targetId);
  if (appApiToken) headers.set('dapr-api-token', appApiToken);
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const body = hasBody ? await readBody(request, (reason) => failed(targetId, reason)) : null;
  try {
    const response = await fetch(`http://127.0.0.1:${target.appPort}${path}${query}`, {
      method: request.method,
      headers,
      body,
      redirect: 'manual',
      decompress: false,
      signal: request.signal,
    });
    const answer = new Headers(response.headers);
    for (const name of HOP_HEADERS) answer.delete(name);
    return new Response(response.body, { status: response.status, headers: answer });
  } catch (error) {
    throw failed(targetId, `error invoking app channel: ${error instanceof Error ? error.message : error}`);
  }
}

/** As a proxy does it: behind what the caller sent (dapr/pkg/messaging, addForwardedHeadersToMetadata). */
function addForwarded(headers: Headers): void {
  headers.append('x-forwarded-for', '127.0.0.1');
  headers.append('x-forwarded-host', hostname());
  headers.append('forwarded', `for=127.0.0.1;by=127.0.0.1;host=${hostname()}`);
}

/** dapr/pkg/acl: paths without regard to case, verbs exactly; `/*` at the end of an operation covers what is below it. */
export function permits(acl: AccessControl | null, caller: string, path: string, verb: string): boolean {
  if (!acl) return true;
  const policy = acl.policies.find(({ appId }) => appId === caller);
  const operation = policy?.operations.find((candidate) => covers(candidate.path.toLowerCase(), path.toLowerCase()));
  const matches = operation && (operation.verbs.includes(verb) || operation.verbs.includes('*'));
  return (matches ? operation.action : (policy?.defaultAction ?? acl.defaultAction)) === 'allow';
}

const covers = (operation: string, path: string): boolean =>
  operation.endsWith('/*') ? path.startsWith(operation.slice(0, -1)) : path === operation;

const failed = (targetId: string, reason: string, status = 500) =>
  new DaprError(status, 'ERR_DIRECT_INVOKE', `failed to invoke, id: ${targetId}, err: ${reason}`);
