// The life of a process: parts are stopped in the reverse order of their start, within a hard deadline.
// A part that hangs cannot keep the process: at the deadline it exits all the same.
import type { Emit } from './events.ts';
import { toError } from './errors.ts';
import { onParentGone } from './parent.ts';

export interface Lifecycle {
  /**
   * Registers what must be stopped; the last one registered is stopped first. One that takes longer than `limitMs` (default
   * `partMs`) is left behind, so that it cannot take the time of the others.
   */
  onStop: (name: string, stop: () => Promise<void> | void, limitMs?: number) => void;
  /** Stops everything once; later calls wait for the first. `code` is the exit code, default 0. */
  stop: (reason: string, code?: number) => Promise<void>;
  readonly stopping: boolean;
}

export interface LifecycleOptions {
  emit: Emit;
  /** Milliseconds until the process exits even if a part hangs. */
  deadlineMs: number;
  /** How long a part may take to stop, in ms, when it did not say so itself. */
  partMs: number;
  /** Called when everything has stopped or the deadline has passed. */
  exit: (code: number) => void;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const parts: { name: string; stop: () => Promise<void> | void; limitMs: number }[] = [];
  let stopped: Promise<void> | undefined;

  async function run(reason: string, code: number): Promise<void> {
    options.emit('notice', { level: 'info', message: `stopping: ${reason}` });
    const hard = setTimeout(() => {
      options.emit('notice', {
        level: 'error',
        message: `stop took more than ${options.deadlineMs} ms; leaving now`,
      });
      options.exit(code);
    }, options.deadlineMs);
    for (const part of parts.toReversed()) {
      try {
        await within(part.limitMs, Promise.resolve(part.stop()));
      } catch (thrown) {
        options.emit('notice', {
          level: 'warn',
          message: `${part.name} did not stop cleanly: ${toError(thrown).message}`,
        });
      }
    }
    clearTimeout(hard);
    options.exit(code);
  }

  return {
    onStop: (name, stop, limitMs = options.partMs) => void parts.push({ name, stop, limitMs }),
    stop: (reason, code = 0) => (stopped ??= run(reason, code)),
    get stopping() {
      return stopped !== undefined;
    },
  };
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${limitMs} ms`)), limitMs);
    timer.unref(); // the deadline keeps the process until then, and nothing should after it
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A terminal tells npm and us of one Ctrl-C, and npm tells us again; a session that ends sends two kinds at once. */
const echoMs = 500;

/**
 * Stops on SIGTERM, SIGINT and the closing of its terminal; a second signal leaves at once, unless it is an echo of the first. Also
 * stops when the parent process goes away.
 */
export function stopOnSignals(lifecycle: Lifecycle): void {
  let first: { signal: string; at: number } | undefined;
  // Without a terminal its closing is not ours to take: nohup has told the system to ignore it.
  const hasTerminal = process.stdin.isTTY && process.stdout.isTTY;
  for (const signal of hasTerminal
    ? (['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    : (['SIGTERM', 'SIGINT'] as const))
    process.on(signal, () => {
      if (first !== undefined && isImpatient(first, signal)) process.exit(130);
      first ??= { signal, at: performance.now() };
      void lifecycle.stop(signal);
    });
  onParentGone(() => void lifecycle.stop('the parent process is gone'));
}

function isImpatient(first: { signal: string; at: number }, signal: string): boolean {
  if (signal === 'SIGHUP') return false;
  const isEcho = first.signal === signal || first.signal === 'SIGHUP';
  return !isEcho || performance.now() - first.at >= echoMs;
}
