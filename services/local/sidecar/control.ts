import { isOneOf } from '#shared/app-token';
import { ApiError, toResponse } from '#shared/errors';
import { completeUrl, hostRefusal } from '#shared/host';
import { FaultError, type Faults, readFaults } from './faults.ts';
import type { State } from './state.ts';

type Controlled = {
  state(): State;
  setFaults(appId: string, faults: Partial<Faults>, replica?: number): void;
};

/** Where the switchboard listens, and what its callers must show as Bearer token. */
export type Control = { port: number; token: string };

const HOST = '127.0.0.1';
const misdirected = hostRefusal({ host: HOST, publicUrl: '' });

/**
 * The switchboard for tests, on a port of its own: `GET /healthz` for anybody on this machine, and with the token
 * `GET /state` and `POST /apps/{app-id}/faults`. No web page may ask anything: its browser would do it for anybody.
 */
export function serveControl({ port, token }: Control, standIn: Controlled) {
  return Bun.serve({
    hostname: HOST,
    port,
    async fetch(request) {
      completeUrl(request);
      try {
        return await answer(request, token, standIn);
      } catch (error) {
        if (error instanceof ApiError) return toResponse(error);
        if (!(error instanceof FaultError || error instanceof SyntaxError)) throw error;
        return Response.json({ error: error.message }, { status: 400 });
      }
    },
  });
}

async function answer(request: Request, token: string, standIn: Controlled): Promise<Response> {
  const refused = misdirected(request);
  if (refused) throw refused;
  if (request.headers.has('origin')) throw new ApiError(403, 'ORIGIN_MISMATCH', 'Web pages may not call this port.');
  const { pathname, searchParams } = new URL(request.url);
  const asked = `${request.method} ${pathname}`;
  if (asked === 'GET /healthz') return new Response(null, { status: 204 });

  const shown = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
  if (!isOneOf([token], shown)) throw new ApiError(401, 'INVALID_TOKEN', 'Show the token of the control port.');
  if (asked === 'GET /state') return Response.json(standIn.state());
  const [, appId] = /^POST \/apps\/([^/]+)\/faults$/.exec(asked) ?? [];
  if (appId === undefined) throw new ApiError(404, 'NOT_FOUND', 'There is nothing at this address.');
  const replica = searchParams.get('replica');
  const faults = readFaults(await request.json());
  standIn.setFaults(appId, faults, replica === null ? undefined : Number(replica));
  return Response.json(standIn.state().apps.filter(({ app_id }) => app_id === appId));
}
