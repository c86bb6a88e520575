import postgres from 'postgres';
import { ApiError } from '#shared/errors';
import { isLoopback } from '#shared/loopback';
import { bun } from '../machine/command-line.ts';
import { problem } from './problem.ts';

export type DemoUser = { email: string; password: string };

/**
 * Whether there is a demo user, by `PUBLIC_URL` and `SIGNUP`: its login asks for no password, and all that it could ask of
 * a caller instead he writes himself. So only where nobody is meant to come but who sits at this machine, and where
 * anybody could have an account by signing up.
 */
export const mayHaveDemo = (publicUrl: string, signup: string): boolean =>
  isLoopback(URL.parse(publicUrl)?.hostname ?? '') && signup === 'open';

/** Makes the demo user through the API as a client would, unless it is there from an earlier `up`. */
export async function ensureDemoUser(chatApiPort: number, demo: DemoUser): Promise<void> {
  const response = await enter(chatApiPort, demo);
  if (response.ok) return;
  const { message } = (await response.json()) as { message: string };
  throw new Error(
    `no demo user: ${message} If it is there and disabled, \`${bun} run ops chat-api users enable ${demo.email}\` lets it in again`,
  );
}

/** Whether there is a demo user of an earlier `up` that is not disabled. Its password may be another one by now. */
export async function isDemoEnabled(databaseUrl: string, { email }: DemoUser): Promise<boolean> {
  const sql = postgres(databaseUrl, { max: 1, onnotice() {} });
  try {
    return (await sql`select 1 from users where email = ${email} and disabled_at is null`).length > 0;
  } finally {
    await sql.end();
  }
}

/**
 * Logs the page in without a password being typed. Only for a browser on this machine that shows our own page: the
 * peer, the name it used and the origin must all be local.
 */
export async function loginAsDemo(
  request: Request,
  peer: string | undefined,
  demo: DemoUser,
  chatApiPort: number,
): Promise<Response> {
  const host = request.headers.get('host') ?? '';
  const isLocal =
    isLoopback(peer ?? '') && isLoopback(new URL(request.url).hostname) && !request.headers.has('x-forwarded-for');
  if (!isLocal || request.headers.get('origin') !== `http://${host}`) {
    return problem(
      request,
      new ApiError(403, 'LOCAL_ONLY', 'Only the page on this machine may log in as the demo user.'),
    );
  }
  const response = await enter(chatApiPort, demo);
  if (!response.ok) return new Response(response.body, { status: response.status, headers: response.headers });
  const headers = new Headers();
  for (const cookie of response.headers.getSetCookie()) headers.append('set-cookie', cookie);
  return Response.json({ email: demo.email }, { headers });
}

async function enter(chatApiPort: number, demo: DemoUser): Promise<Response> {
  const response = await post(chatApiPort, 'login', demo);
  if (response.status !== 401) return response;
  const signup = await post(chatApiPort, 'signup', demo);
  return signup.ok ? post(chatApiPort, 'login', demo) : signup;
}

function post(chatApiPort: number, path: string, { email, password }: DemoUser): Promise<Response> {
  return fetch(`http://127.0.0.1:${chatApiPort}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
    signal: AbortSignal.timeout(10_000),
  });
}
