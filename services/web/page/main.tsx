import { render } from 'preact';
import { App } from './app.tsx';
import { ApiError } from './api.ts';
import './choices.ts';
import { watchInbox } from './inbox/notices.ts';
import { watchOutside } from './live/outside.ts';
import { watchVersion } from './live/version.ts';
import { resume, session } from './session.ts';
import { changes, start } from './state.ts';

const AGAIN_MS = 3_000;

// Safari has none yet; whoever has it loads nothing. Delete this once all of the last two years have it.
if (!('Temporal' in globalThis)) await import('temporal-polyfill/global');

const root = document.getElementById('app');
if (root) render(<App />, root);
start();
watchInbox();
watchOutside();
watchVersion();
if (session.value.is === 'unknown') void untilKnown();

/** A page that was opened while the server starts finds in by itself. */
async function untilKnown(): Promise<void> {
  try {
    await resume();
    changes.answered();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    changes.trouble.value = error;
    setTimeout(untilKnown, error.retryAfterMs ?? AGAIN_MS);
  }
}
