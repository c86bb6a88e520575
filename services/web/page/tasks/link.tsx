import type { ComponentChildren } from 'preact';
import { hrefWith } from '../address.ts';

/** Opens a task beside the list that is shown. The rest of the address is looked up when it is needed: rows are not drawn for it. */
export function TaskLink({ id, onOpen, children, ...given }: LinkProps) {
  return (
    <a
      {...given}
      href={`?task=${encodeURIComponent(id)}`}
      onClick={({ currentTarget }) => {
        currentTarget.href = taskHref(id);
        onOpen?.();
      }}
    >
      {children}
    </a>
  );
}

type LinkProps = { id: string; children: ComponentChildren; class?: string; tabIndex?: number; onOpen?: () => void };

/** Where a task is opened: the same list with the task beside it, or with what happened to it. */
export const taskHref = (id: string, open: 'history' | null = null): string => hrefWith({ task: id, open });
