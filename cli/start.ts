// Gives the command line a real terminal and ends the process with its code.
import { environment } from '../shared/config.ts';
import { runCli } from './run.ts';
import type { Terminal } from './terminal.ts';

async function readAll(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

// What could not be written ends no part that runs until it is stopped: its log counts what it lost. Only of a result it matters.
process.stdout.on('error', () => undefined); // told by each write's own answer
process.stderr.on('error', () => undefined);
let unwritten = false;

/** `storytime … | head` closes the pipe early: that is no error of ours, and there is nobody left to tell. */
function written(error: NodeJS.ErrnoException | null | undefined): void {
  if (error?.code === 'EPIPE') process.exit(0);
  unwritten ||= error instanceof Error;
}

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text, written),
  err: (text) => void process.stderr.write(text),
  env: environment(),
  isInteractive: process.stdout.isTTY && process.stderr.isTTY,
  readInput: () => (process.stdin.isTTY ? undefined : readAll()),
};

/** Runs what the process was started for; the process ends with it. */
export async function runProcess(): Promise<never> {
  const code = await runCli(process.argv.slice(2), terminal);
  return process.exit(code === 0 && unwritten ? 1 : code);
}
