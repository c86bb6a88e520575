/**
 * Exchanges the refresh token, one tab or worker of a browser after the other: it is good once, and who comes second finds
 * the new cookie. Locks need https or the loopback; without them the server's patience of 10 s has to do (CONTRACT 3).
 */
export const refreshInTurn = (exchange: () => Promise<Response>): Promise<Response> =>
  'locks' in navigator ? navigator.locks.request('taskflow-refresh', exchange) : exchange();
