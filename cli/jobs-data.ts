// The payload of `jobs enqueue`: JSON on the command line, from a file (@path) or from standard input (-). What cannot be
// read or parsed is refused here, with the place, before anything is sent.
import { readFile } from 'node:fs/promises';
import { toError } from '../shared/errors.ts';
import { CliError } from './exit.ts';
import type { Terminal } from './terminal.ts';

const limitBytes = 256 * 1024;

export async function readPayload(terminal: Terminal, data: string): Promise<unknown> {
  const { text, place } = await readSource(terminal, data);
  if (text.byteLength > limitBytes)
    throw new CliError(
      'wrongUse',
      `${place} has ${text.byteLength} bytes; the API takes at most ${limitBytes}`,
    );
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (thrown) {
    throw new CliError('wrongUse', `${place} is not JSON: ${toError(thrown).message}`);
  }
}

async function readSource(terminal: Terminal, data: string): Promise<{ text: Uint8Array; place: string }> {
  if (data === '-') {
    const input = terminal.readInput();
    if (input === undefined)
      throw new CliError(
        'wrongUse',
        '--data - reads standard input, and a person types there; pipe the JSON in or name a file: --data @job.json',
      );
    return { text: await input, place: 'standard input' };
  }
  if (!data.startsWith('@')) return { text: Buffer.from(data), place: '--data' };
  const path = data.slice(1);
  try {
    return { text: await readFile(path), place: path };
  } catch (thrown) {
    throw new CliError('wrongUse', `${path} cannot be read: ${toError(thrown).message}`);
  }
}
