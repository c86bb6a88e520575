/** 256 random bits as base64url: what only its holder has, and we keep as a SHA-256. */
export const randomToken = (): string =>
  crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: 'base64url', omitPadding: true });
