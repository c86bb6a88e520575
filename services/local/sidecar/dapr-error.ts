/** An answer of the sidecar that is no success: `{errorCode, message}` with `status`. */
export class DaprError extends Error {
  override name = 'DaprError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  toResponse(): Response {
    return Response.json({ errorCode: this.code, message: this.message }, { status: this.status });
  }
}
