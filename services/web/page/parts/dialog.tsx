import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { handOn } from './hand-on.ts';

/**
 * A modal dialog of the browser's own, which holds the focus. `isFirm`: Escape does not leave it, also where a second one may
 * not be prevented (Chromium), nor `closedby` is known.
 */
export function Dialog({
  label,
  children,
  close,
  isFirm = false,
  onKey,
}: {
  label: string;
  children: ComponentChildren;
  close?: () => void;
  isFirm?: boolean;
  onKey?: (event: KeyboardEvent) => void;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => handOn(before); // by itself a browser gives it back only when a dialog closes, not when it is taken away
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={label}
      closedby={isFirm ? 'none' : 'closerequest'}
      onCancel={(event) => isFirm && event.preventDefault()}
      onClose={isFirm ? () => ref.current?.showModal() : close}
      onKeyDown={onKey}
      onClick={(event) => event.target === ref.current && !isFirm && ref.current?.close()}
    >
      <div class="dialog">{children}</div>
    </dialog>
  );
}
