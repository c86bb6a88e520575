import { createWriteStream, openSync, renameSync, statSync } from 'node:fs';

/** Of a log file that is begun anew then, the one before beside it as `.1`: enough to look back, little enough for a laptop. */
const MAX_BYTES = 20 * 1024 * 1024;

/** Takes the lines of a log file, which is begun anew whenever it has become too long. */
export function openLogFile(path: string, maxBytes = MAX_BYTES): (line: string) => void {
  let size = setAsideLong(path, maxBytes);
  let file = append(path);
  return (line) => {
    if (size > maxBytes) {
      file.end();
      setAside(path);
      file = append(path);
      size = 0;
    }
    size += Buffer.byteLength(line) + 1;
    file.write(`${line}\n`);
  };
}

/** Makes `<path>.1` of a log file that has become too long. @returns the bytes of the one that is there now */
export function setAsideLong(path: string, maxBytes = MAX_BYTES): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= maxBytes) return size;
  setAside(path);
  return 0;
}

const setAside = (path: string) => renameSync(path, `${path}.1`);

function append(path: string) {
  // Opened here: what is written goes on into that file, wherever it is moved to.
  const file = createWriteStream(path, { fd: openSync(path, 'a', 0o600) });
  // A full disk: the lines still stand on the terminal, and the services say more than a log could.
  file.on('error', () => {});
  return file;
}
