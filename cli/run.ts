// One call of the command line, from its arguments to its exit code. Errors are written here alone: one line for a person,
// one JSON line with --json, always to standard error, so that standard output is nothing but the result.
import type { Command } from 'commander';
import { endingOf, type Ending } from './exit.ts';
import { buildProgram } from './program.ts';
import { json, painter, plain, type Terminal } from './terminal.ts';

/** Resolves with the exit code: of a long-running part, when it has been stopped. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const program = buildProgram(terminal, (given) => (code = given));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (thrown) {
    const ending = endingOf(thrown);
    report(program, terminal, ending, argv.includes('--json'));
    return ending.code;
  }
}

function report(program: Command, terminal: Terminal, ending: Ending, asJson: boolean): void {
  const { code, message, details, problem } = ending;
  if (message === undefined) return;
  if (asJson) {
    terminal.err(json({ error: { exitCode: code, message, details, ...problem } }));
    return;
  }
  const paint = painter(terminal, program.opts<{ color?: boolean }>().color === false);
  terminal.err(`${paint('red', '✗')} ${plain(message)}\n`);
  for (const detail of details) terminal.err(`  - ${plain(detail)}\n`);
}
