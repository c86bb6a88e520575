/** Gives the focus to `heir` where what had it is gone: what is typed on the page itself would be taken for its keys. */
export function handOn(heir: Element | null | undefined): void {
  queueMicrotask(() => {
    const { activeElement: at, body } = document;
    if (at !== body && at !== null) return;
    const isThere = heir instanceof HTMLElement && heir.isConnected && heir !== body;
    (isThere ? heir : document.getElementById('content'))?.focus({ preventScroll: true });
  });
}
