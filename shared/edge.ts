import { Elysia } from 'elysia';
import { sockets } from './address.ts';
import { admission } from './admission.ts';
import { type Admission, jsonBodies } from './body.ts';
import { correlation } from './correlation.ts';
import { crossOrigin } from './cors.ts';
import { deadline } from './deadline.ts';
import { MAX_DELIVERY_BYTES } from './delivery.ts';
import { databaseUnavailable, errorMapping, toResponse } from './errors.ts';
import { heads } from './head.ts';
import { defaultHeaders } from './headers.ts';
import { hosts, type Place } from './host.ts';
import { createIntake } from './intake.ts';
import type { Log } from './log.ts';
import { methods } from './methods.ts';
import { createPlaces, ending } from './places.ts';

/** Of one sender a long body is looked through at a time; then the event loop is for others, 16 times as long as it took. */
const READING = { perKey: 1, restFactor: 16 };

/**
 * What every service does with a request before a route sees it, and with the answer after. Each `app.ts` begins with
 * it: hooks that come later miss earlier routes. The order is part of it: what gives every answer its headers (the
 * correlation id, CORS) stands before all that may refuse.
 *
 * `admit` says whose body is read: nobody's, unless it is told.
 */
export function edge({
  log,
  place = { host: '', publicUrl: '' },
  corsOrigins = [],
  admit = admission(),
  answerMs,
  bodyMs,
}: {
  log: Log;
  place?: Place;
  corsOrigins?: string[];
  admit?: Admission;
  answerMs?: number;
  bodyMs?: number;
}) {
  const app = new Elysia({
    name: 'edge',
    serve: { development: false }, // or Bun shows source code in its own errors
    handler: { standardHostname: false }, // or Elysia looks for the path behind the 11th character: http://nas/x has none
  });
  return app
    .headers(defaultHeaders(place.publicUrl))
    .use(correlation())
    .use(crossOrigin(corsOrigins))
    .use(hosts(place))
    .use(sockets())
    .use(heads())
    .use(ending())
    .use(deadline(() => toResponse(databaseUnavailable()), answerMs))
    .use(methods(() => app.router))
    .use(errorMapping({ log, routes: () => app.routes }))
    .use(
      jsonBodies(admit, {
        intake: createIntake({ bodyMs }),
        deliveries: createIntake({ bodyMs, totalBytes: MAX_DELIVERY_BYTES }),
        readings: createPlaces(READING),
      }),
    );
}
