// One part of `storytime up` as a process of its own: started, watched, started again when it crashes, stopped in order.
// It speaks over an IPC channel; when that closes, however this process died, the part leaves by itself.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Environment } from '../shared/config.ts';
import { toError } from '../shared/errors.ts';
import { growingPause } from '../shared/growing-pause.ts';
import { deferred } from './deferred.ts';
import { CliError } from './exit.ts';
import type { PartName, ReadyMessage } from './process.ts';

export interface ChildOptions {
  part: PartName;
  /** The program and its arguments for node, up to the command. */
  program: { file: string; execArgv: readonly string[] };
  env: Environment;
  /** Every line the part writes. */
  onLine: (line: string) => void;
  /** What this supervisor did on its own. */
  say: (message: string) => void;
  /** Told of each end that nobody asked for: `by SIGKILL`, `with code 1`. */
  onEnd?: (pid: number, how: string) => void;
}

export interface Child {
  /** The part's address, once it can be used; rejects when its first start fails. */
  ready: Promise<string>;
  /** SIGTERM, and SIGKILL after `patienceMs`. */
  stop: (patienceMs: number) => Promise<void>;
}

const firstPauseMs = 500;

export function startChild(options: ChildOptions): Child {
  let current: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let wasReady = false;
  const nextPause = growingPause(firstPauseMs);
  const address = deferred<string>();
  address.promise.catch(() => undefined); // awaited by whoever wants the address

  function launch(): void {
    const startedAt = performance.now();
    const over = (by: EndedBy): void => {
      if (stopping) return;
      const how = tellEnd(options, current?.pid, by);
      if (!wasReady) return address.reject(failedStart(options.part, how, by));
      const pauseMs = nextPause(performance.now() - startedAt);
      options.say(`${options.part} ended ${how}; starting it again in ${pauseMs / 1_000} s`);
      timer = setTimeout(launch, pauseMs);
    };
    try {
      current = forkPart(options, over);
    } catch (thrown) {
      return over(toError(thrown)); // no memory for one, say
    }
    current.on('message', (message: ReadyMessage) => {
      wasReady = true;
      address.resolve(message.url);
    });
  }

  launch();
  return {
    ready: address.promise,
    async stop(patienceMs) {
      stopping = true;
      clearTimeout(timer);
      if (current !== undefined) await end(current, patienceMs);
    },
  };
}

/** A signal, an exit code, or why no process could be made: then there is no exit either. */
type EndedBy = string | number | Error | null;

function onEnd(child: ChildProcess, listener: (by: EndedBy) => void): void {
  child.once('exit', (code, signal) => listener(signal ?? code));
  child.once('error', (error) => (child.pid === undefined ? listener(error) : undefined));
}

function tellEnd({ onEnd: tell }: ChildOptions, pid: number | undefined, by: EndedBy): string {
  if (by instanceof Error) return `before it began: ${by.message}`;
  const how = typeof by === 'string' ? `by ${by}` : `with code ${by}`;
  if (pid !== undefined) tell?.(pid, how);
  return how;
}

function failedStart(part: PartName, how: string, code: EndedBy): CliError {
  const exit = code === 2 ? 'wrongUse' : 'failed';
  return new CliError(exit, `${part} did not start: it ended ${how}; the lines above say why`);
}

function forkPart({ part, program, env, onLine }: ChildOptions, over: (by: EndedBy) => void): ChildProcess {
  const child = fork(program.file, [part], {
    execArgv: [...program.execArgv],
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Out of the terminal's process group: Ctrl-C reaches `up` alone, which ends its parts in the right order.
    detached: process.platform !== 'win32',
  });
  onEnd(child, over);
  for (const stream of [child.stdout, child.stderr]) readLines(stream, onLine);
  return child;
}

/** A process that could not be made has no streams, whatever its type says. */
function readLines(stream: Readable | null | undefined, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

async function end(child: ChildProcess, patienceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await gone;
  clearTimeout(timer);
}
