/** A field or parameter that cannot be understood. `field` is its name on the wire; the message names it and says why. */
export class FieldError extends Error {
  override name = 'FieldError';
  readonly code: string = 'INVALID_FIELD';

  constructor(
    readonly field: string,
    reason: string,
  ) {
    super(`${field}: ${reason}`);
  }
}
