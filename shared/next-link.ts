/**
 * The `Link` header of a page that others follow (RFC 8288): the address of the next one, relative, so that it holds behind
 * any proxy.
 */
export function nextLink(request: Request, cursor: string | number): string {
  const { pathname, searchParams } = new URL(request.url);
  searchParams.set('cursor', String(cursor));
  return `<${pathname}?${searchParams}>; rel="next"`;
}
