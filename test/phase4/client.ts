export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
export const PASSWORD = 'Sunny-Day-42';

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as an object. @throws when it is not JSON */
  json: Json;
}

export interface Person {
  email: string;
  token: string;
  user: Json;
  answer: Answer;
}

export type Client = ReturnType<typeof createClient>;

/** Calls the API under `<url>/api/v1`. Knows HTTP and nothing of the code behind it. */
export function createClient(url: string) {
  async function call(
    method: string,
    path: string,
    {
      token,
      json,
      body,
      headers = {},
    }: { token?: string | undefined; json?: unknown; body?: Bun.BodyInit; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text) as Json;
      },
    };
  }

  async function signUp(email = `${crypto.randomUUID()}@example.com`): Promise<Person> {
    const answer = await call('POST', '/auth/signup', { json: { email, password: PASSWORD } });
    if (answer.status !== 201) throw new Error(`sign-up answered ${answer.status}: ${answer.text}`);
    return { email, token: String(answer.json.token), user: answer.json.user as Json, answer };
  }

  let [someone, another]: [Promise<Person>?, Promise<Person>?] = [];

  return {
    url,
    call,
    signUp,
    /** A user for all tests that do not mind what else they hold: an address may sign up 60 in a minute. */
    someone: () => (someone ??= signUp()),
    another: () => (another ??= signUp()),
    /** A further session. */
    async logIn({ email }: Person): Promise<Answer> {
      const answer = await call('POST', '/auth/login', { json: { email, password: PASSWORD } });
      if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${answer.text}`);
      return answer;
    },
    /** A task as the server answered its creation. */
    async createTask(token: string, json: Json): Promise<Json> {
      const answer = await call('POST', '/tasks', { token, json });
      if (answer.status !== 201) throw new Error(`creating a task answered ${answer.status}: ${answer.text}`);
      return answer.json;
    },
  };
}

/** The value of a cookie that an answer sets, and its attributes in lower case. */
export function cookieIn({ headers }: Answer, name: string): { value: string; attributes: string[] } {
  const line = headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));
  if (line === undefined) throw new Error(`no cookie ${name} in ${headers.getSetCookie().join(' | ')}`);
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  return { value: pair.slice(name.length + 1), attributes: attributes.map((attribute) => attribute.toLowerCase()) };
}
