import type { RunningStack } from './stack.ts';

export type Person = Awaited<ReturnType<typeof signUp>>;
export type Json = Record<string, unknown>;

/** A new user of the stack and how they call the API. Throws when a call does not answer as it should. */
export async function signUp(stack: Pick<RunningStack, 'url'>) {
  const email = `${crypto.randomUUID()}@example.com`;
  const response = await fetch(stack.url('/api/v1/auth/signup'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'Sunny-Day-42' }),
  });
  if (response.status !== 201) throw new Error(`signup answered ${response.status}: ${await response.text()}`);
  const { token, user } = (await response.json()) as { token: string; user: { id: string } };
  const headers = { authorization: `Bearer ${token}` };

  /** Any status; `at` names a replica. */
  const call = (method: string, path: string, body?: unknown, { at, ...more }: Record<string, string> = {}) =>
    fetch(stack.url(`/api/v1${path}`, at), {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }), ...more },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  /** The JSON of a 2xx answer. */
  async function ask<T = Json>(
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<T> {
    const answer = await call(method, path, body, more);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  return { id: user.id, email, token, headers, call, ask };
}

/** Several new users, a few at a time: each costs a password hash, and one is made at a time. */
export async function signUpMany(stack: Pick<RunningStack, 'url'>, count: number): Promise<Person[]> {
  const people: Person[] = [];
  while (people.length < count) {
    const group = Array.from({ length: Math.min(4, count - people.length) }, () => signUp(stack));
    people.push(...(await Promise.all(group)));
  }
  return people;
}
