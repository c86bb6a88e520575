import { Elysia } from 'elysia';
import { ApiError } from './errors.ts';

/** Refuses a request whose Host is none: Bun 1.4.5 then gives a mere path as its URL, and nothing could be read from it. */
export const hosts = () =>
  new Elysia({ name: 'hosts' }).onRequest(({ request }) => {
    if (!URL.canParse(request.url)) throw new ApiError(400, 'INVALID_REQUEST', 'The Host header is not a host.');
  });
