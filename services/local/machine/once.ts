/**
 * Whether a request may go over a connection that is kept. When that ends without an answer Bun 1.4.5 sends again by itself
 * what is idempotent (RFC 9110, 9.2.2): a DELETE that was done would be answered 404 then, and a PUT under If-Match 412.
 */
export const mayKeepConnection = (method = 'GET'): boolean => method !== 'DELETE' && method !== 'PUT';
