import { connect, type IncomingHttpHeaders } from 'node:http2';
import { tokens } from './toys.ts';

/** Two of gRPC's status codes. */
export const [DONE, NOT_SERVED] = [0, 12] as const;

/** Calls Dapr's gRPC API with an empty message and the token of its app. @returns the status code */
export function grpcStatus(port: number, method: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const session = connect(`http://127.0.0.1:${port}`);
  const call = session.request({
    ':method': 'POST',
    ':path': `/dapr.proto.runtime.v1.Dapr/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    'dapr-api-token': tokens.DAPR_API_TOKEN,
  });
  /** A refusal comes without a body: what would be trailers are its headers then. */
  function look(headers: IncomingHttpHeaders): void {
    if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
  }
  for (const source of [session, call]) source.on('error', reject);
  call.on('response', look).on('trailers', look);
  call.on('close', () => reject(new Error(`${method} ended without a status`)));
  call.resume();
  call.end(EMPTY_MESSAGE);
  return promise.finally(() => session.close());
}

/** Not compressed, and of length 0. */
const EMPTY_MESSAGE = new Uint8Array(5);

/** Where a daprd serves gRPC: it tells nobody but those who see its arguments. */
export async function grpcPortOf(pid: number | undefined): Promise<number> {
  const command = await Bun.$`ps -ww -o args= -p ${pid}`.text();
  return Number(/--dapr-grpc-port=(\d+)/.exec(command)?.[1]);
}
