import { FaultError, type Faults, readFaults } from './faults.ts';
import type { State } from './state.ts';

type Controlled = {
  state(): State;
  setFaults(appId: string, faults: Partial<Faults>, replica?: number): void;
};

/** The switchboard for tests and demo, on a port of its own: `GET /healthz`, `GET /state`, `POST /apps/{app-id}/faults`. */
export function serveControl(port: number, standIn: Controlled) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port,
    routes: {
      '/healthz': { GET: () => new Response(null, { status: 204 }) },
      '/state': { GET: () => Response.json(standIn.state()) },
      '/apps/:appId/faults': {
        async POST(request) {
          try {
            const replica = new URL(request.url).searchParams.get('replica');
            const faults = readFaults(await request.json());
            const { appId } = request.params;
            standIn.setFaults(appId, faults, replica === null ? undefined : Number(replica));
            return Response.json(standIn.state().apps.filter(({ app_id }) => app_id === appId));
          } catch (error) {
            if (!(error instanceof FaultError || error instanceof SyntaxError)) throw error;
            return Response.json({ error: error.message }, { status: 400 });
          }
        },
      },
    },
    fetch: () => new Response('not found\n', { status: 404 }),
  });
}
