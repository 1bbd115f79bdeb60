#!/usr/bin/env node
// The process entry of everything: `storytime <noun> <verb>`. Gives the command line a real terminal and exits with its code.
import { environment } from '../shared/config.ts';
import { runCli } from './run.ts';
import type { Terminal } from './terminal.ts';

async function readAll(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

// `storytime … | head` closes the pipe early: that is no error of ours, and there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: environment(),
  isInteractive: process.stdout.isTTY && process.stderr.isTTY,
  readInput: () => (process.stdin.isTTY ? undefined : readAll()),
};

process.exit(await runCli(process.argv.slice(2), terminal));
