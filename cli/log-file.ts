// The log file of a part: appended to, one earlier one kept. A disk that is full takes no lines; the part goes on without, and
// the file is tried again.
import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';

export interface LogFile {
  write: (line: string) => void;
}

const largestBytes = 10_000_000;
const pauseMs = 1_000;

/** `say` is told once when lines begin to be lost, and once when they are written again. */
export function openLogFile(path: string, say: (message: string) => void): LogFile {
  makeRoom(path);
  let stream: WriteStream | undefined;
  let lost = 0;
  let triedAt = Number.NEGATIVE_INFINITY;

  function open(): WriteStream {
    const opened = createWriteStream(path, { flags: 'a', mode: 0o600 });
    opened.on('error', () => {
      if (stream === opened) stream = undefined;
    });
    triedAt = performance.now();
    return opened;
  }

  function written(error: Error | null | undefined): void {
    if (error) {
      if (lost === 0) say(`${path} cannot be written: ${error.message}; its lines are lost until it can be`);
      lost += 1;
    } else if (lost > 0) {
      say(`${path} is written again; ${lost} lines were lost`);
      lost = 0;
    }
  }

  return {
    write(line) {
      if (stream === undefined && performance.now() - triedAt < pauseMs) {
        lost += 1;
        return;
      }
      stream ??= open();
      // The last line before was perhaps cut.
      stream.write(`${lost > 0 ? '\n' : ''}${line}\n`, written);
    },
  };
}

/** A file that has grown large makes room for a new one and is kept beside it. */
function makeRoom(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > largestBytes) renameSync(path, `${path}.old`);
}
