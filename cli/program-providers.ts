// The `providers` commands: they speak HTTP to the API, like any other client.
import type { Command } from 'commander';
import { durationOption } from './arguments.ts';
import type { Terminal } from './terminal.ts';

export function addProviders(program: Command, terminal: Terminal): void {
  const providers = program.command('providers').description('how the outside services are, and their gates');
  providers
    .command('list')
    .description('gate, calls, errors, p95 and spend of each')
    .action(async (_flags, command: Command) =>
      (await import('./providers.ts')).runList(terminal, command.optsWithGlobals()),
    );
  providers
    .command('trip <provider|gate>')
    .description('call it no more for a time; its jobs wait and keep their attempts')
    .addOption(durationOption('--for <time>', 'how long, as 30m').makeOptionMandatory())
    .requiredOption('--reason <text>', 'why, for those who read it later')
    .addHelpText(
      'after',
      '\nExamples:\n  $ storytime providers trip elevenlabs --for 30m --reason INC-42\n  $ storytime providers trip gemini-pictures --for 1h --reason "bad pictures"\n',
    )
    .action(async (name: string, _flags, command: Command) =>
      (await import('./providers.ts')).runTrip(terminal, name, command.optsWithGlobals()),
    );
  providers
    .command('reset <provider|gate>')
    .description('call it again, few calls at first')
    .action(async (name: string, _flags, command: Command) =>
      (await import('./providers.ts')).runReset(terminal, name, command.optsWithGlobals()),
    );
}
