// The command line in this process, with a terminal that is kept in memory.
import { runCli } from '../../cli/run.ts';
import type { Terminal } from '../../cli/terminal.ts';

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** `env` is all there is: nothing of the test run's own environment reaches the command. */
export async function say(
  argv: readonly string[],
  env: Record<string, string> = {},
  input?: string,
): Promise<Said> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    isInteractive: false,
    readInput: () => (input === undefined ? undefined : Promise.resolve(Buffer.from(input))),
  };
  const code = await runCli(argv, terminal);
  return { code, out, err };
}
