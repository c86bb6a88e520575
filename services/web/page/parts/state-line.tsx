import { timeOf } from '../days.ts';
import { hasEvents, session, zone } from '../session.ts';
import { changes, stream } from '../state.ts';
import { count } from '../words.ts';

/** Whether what stands here is what is: always to be seen, and said when it changes. */
export function StateLine() {
  const { mark, words } = stateWords();
  return (
    <p class={`state is-${mark}`} role="status">
      {words}
    </p>
  );
}

function stateWords(): { mark: 'live' | 'wait' | 'away'; words: string } {
  const { waiting, trouble } = changes;
  const { value: refused } = trouble;
  const wait =
    refused && waiting.value > 0
      ? ` ${count(waiting.value, 'change')} ${waiting.value === 1 ? 'waits' : 'wait'} in this tab.`
      : '';
  const { value: state } = stream;
  if (session.value.is === 'ended') return { mark: 'away', words: `Signed out.${wait}` };
  if (refused && refused.status > 0) return { mark: 'wait', words: `The server is busy or restarting.${wait}` };
  if (!hasEvents.value && !refused)
    return { mark: 'wait', words: 'Without live updates; this page looks again each minute.' };
  if (state.is === 'crowded')
    return {
      mark: 'wait',
      words: 'Other browsers have the places for live updates; this one looks again each minute.',
    };
  if (refused || (state.is === 'away' && !navigator.onLine)) {
    const since = state.is === 'away' ? ` since ${timeOf(state.since, zone.value)}` : '';
    return { mark: 'away', words: `Offline${since}.${wait}` };
  }
  if (state.is === 'live') return { mark: 'live', words: 'Live' };
  if (state.is === 'busy') return { mark: 'wait', words: 'The server is busy or restarting; trying again …' };
  return { mark: 'wait', words: state.is === 'away' ? 'Reconnecting …' : 'Connecting …' };
}
