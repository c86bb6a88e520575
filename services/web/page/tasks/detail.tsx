import { ErrorBoundary, useLocation } from 'preact-iso';
import { useEffect, useRef } from 'preact/hooks';
import { hrefWith } from '../address.ts';
import { later } from '../parts/later.tsx';
import { changes, store } from '../state.ts';
import { taskHref } from './link.tsx';
import { isUnsaved } from './unsaved.ts';

const Opened = later(() => import('./opened.tsx'));

/**
 * The task that the address names, beside the list. One that is not saved stays until that is settled, wherever the address
 * went meanwhile: by a link, by a key or by Back, which cannot be held up.
 */
export function Detail() {
  const { query, route } = useLocation();
  const shown = useRef<string | undefined>(undefined);
  const named = query.task && idOf(query.task);
  const id = isUnsaved.value ? shown.current : named;
  shown.current = id;
  useEffect(() => void Opened.preload(), []); // after the first list, so that it is there also when the network is not
  useEffect(() => {
    if (named !== query.task) route(hrefWith({ task: named ?? null }), true);
  }, [named, query.task]);
  const close = () => {
    route(hrefWith({ task: null, open: null }));
    document.getElementById(`task-${id}`)?.focus();
  };
  if (!id) return null;
  const left = { isLeft: id !== named, stay: () => route(taskHref(id)) };
  return (
    <ErrorBoundary>
      <Opened key={id} id={id} isPastAsked={query.open === 'history'} close={close} {...left} />
    </ErrorBoundary>
  );
}

/** Looked up again when the store has changed, as it does with the answer that says it. */
function idOf(name: string): string {
  void store.tasks.value;
  return changes.idOf(name);
}
