import { requireSidecar } from './app-token.ts';
import type { Authenticator } from './auth.ts';
import { type Admission, isDelivery } from './body.ts';
import { MAX_DELIVERY_BYTES } from './delivery.ts';
import { ApiError } from './errors.ts';
import { MAX_BODY_BYTES } from './intake.ts';

/** Longest body of who has no login. Email, password and time zone take 4 KiB at the most, with each character escaped. */
const OPEN_BODY_BYTES = 16 * 1024;
/** Who sends bodies, beside users by their ids. */
const [SIDECAR, STRANGERS] = ['sidecar', 'strangers'];

/**
 * Whose bodies an app reads: those of the sidecar on its own routes, of anybody on `open` ones (paths as the routes have
 * them, for who has no login yet) and everywhere else of who is logged in. A caller who is nobody costs no more than his
 * headers. Without an authenticator nobody is let in.
 */
export const admission =
  ({
    authenticator,
    appTokens = [],
    open = [],
  }: { authenticator?: Authenticator; appTokens?: string[]; open?: string[] } = {}): Admission =>
  async (request, path) => {
    if (isDelivery(path)) {
      requireSidecar(request, appTokens);
      return { maxBytes: MAX_DELIVERY_BYTES, by: SIDECAR };
    }
    if (open.includes(path.replace(/\/$/, ''))) return { maxBytes: OPEN_BODY_BYTES, by: STRANGERS };
    if (!authenticator) throw new ApiError(401, 'INVALID_TOKEN', 'Nobody can log in here.');
    const { userId } = await authenticator.authenticate(request);
    return { maxBytes: MAX_BODY_BYTES, by: userId };
  };
