import { exitWith } from '../../services/local/machine/command-line.ts';
import { watchSignals } from '../../services/local/machine/signals.ts';

/** As a shell has it of SIGINT. */
const INTERRUPTED = 130;

/** Does the work, closes what it opened and ends this process with its exit code; after a signal at once, with 130. */
export async function workToExit(
  say: (line: string) => void,
  work: (opened: AsyncDisposableStack) => Promise<number>,
): Promise<void> {
  const opened = new AsyncDisposableStack();
  const signals = watchSignals();
  signals.onHurry(() => process.exit(INTERRUPTED));
  void signals.first.then(async (reason) => {
    say(`${reason}: stopping`);
    await opened.disposeAsync().catch((error: unknown) => say(`not everything ended: ${Bun.inspect(error)}`));
    process.exit(INTERRUPTED);
  });
  try {
    const exitCode = await work(opened);
    await opened.disposeAsync();
    if (!signals.isStopping()) process.exit(exitCode);
  } catch (error) {
    if (signals.isStopping()) return; // what was under way fails when its server goes; the signal ends this process
    await opened.disposeAsync();
    exitWith(error);
  }
}
