import { Elysia } from 'elysia';
import { ApiError, refused } from './errors.ts';

type Router = Elysia['router'];

/**
 * Answers where no route has a request's method but its path has others: 405 with `Allow` (RFC 9110, 15.5.6), and OPTIONS
 * by 204 with the same. Nobody is asked to log in for that. `router`: that of the whole app.
 */
export const methods = (router: () => Router) =>
  new Elysia({ name: 'methods' }).onError({ as: 'global' }, ({ code, path, request, set }) => {
    if (code !== 'NOT_FOUND') return;
    const found = methodsAt(router(), path);
    if (found.length === 0) return;
    const allow = allowOf(found);
    set.headers.allow = allow;
    if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
    return refused(set, new ApiError(405, 'METHOD_NOT_ALLOWED', `This address takes ${allow}.`));
  });

/** `Allow` of a path that has these methods: where GET is taken so is HEAD, and everywhere OPTIONS. */
export const allowOf = (found: string[]): string =>
  [...found.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)), 'OPTIONS'].join(', ');

/** Asked of Elysia's own router, so that parameters and the slash at the end mean here what they mean there. */
function methodsAt({ static: fixed, http }: Router, path: string): string[] {
  const here = { ...fixed[path], ...fixed[path.endsWith('/') ? path.slice(0, -1) : `${path}/`] };
  return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => method in here || http.find(method, path));
}
