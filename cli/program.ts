// The command line as data: every command, its options and examples. What a command does is in a file of its own, loaded
// when it is called, so that help answers at once.
import { Command, Option } from 'commander';
import { addJobs } from './program-jobs.ts';
import { addParts, type Ended } from './program-parts.ts';
import { addProviders } from './program-providers.ts';
import type { Terminal } from './terminal.ts';
import { requireTimeZone } from './time-zone.ts';
import { readVersion } from './version.ts';

const examples = `Examples:
  $ storytime up                                         the whole system, for development
  $ storytime jobs enqueue generate-story --data '{"childName":"Ada","age":6,"theme":"the sea"}' --tree
  $ storytime jobs show 0199a1b2-… --attempts --steps    what became of a job
  $ storytime work --queues email,reports                one work process, of two queues
  $ storytime doctor                                     what stands in the way, all at once
`;

export function buildProgram(terminal: Terminal, ended: Ended): Command {
  const program = new Command('storytime');
  program
    .description('Background jobs of Storytime: durable, remembered, observable.')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addOption(new Option('--json', 'print results as JSON with a "schema" number'))
    .addOption(new Option('--no-color', 'print without colour'))
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('before', examples)
    .showSuggestionAfterError(true)
    .exitOverride()
    // Errors are written once, by the end of main.ts: as text or as JSON.
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err, outputError: () => undefined });
  // The doctor tells of it beside everything else.
  program.hook('preAction', (_program, command) => {
    if (command.name() !== 'doctor') requireTimeZone(terminal.env);
  });
  addParts(program, terminal, ended);
  addJobs(program, terminal);
  addProviders(program, terminal);
  return program;
}
