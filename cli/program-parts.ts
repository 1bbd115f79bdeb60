// The commands that start something, and those that look after a database.
import { Option, type Command } from 'commander';
import { durationOption, parseCount, parseFirstPort, parseList } from './arguments.ts';
import type { Terminal } from './terminal.ts';

/** Told the exit code of a command that ends with another one than 0. */
export type Ended = (code: number) => void;

export function addParts(program: Command, terminal: Terminal, ended: Ended): void {
  addUp(program, terminal, ended);
  program
    .command('api')
    .description('run the enqueue API')
    .action(async () => ended(await (await import('./api.ts')).runApi(terminal.env)));
  program
    .command('work')
    .description('run jobs')
    .option('--queues <names>', 'only these queues, with commas between them', parseList)
    .addOption(new Option('--lane', 'as the quarantine lane of another work process').hideHelp())
    .action(async (wanted: { queues?: string[]; lane?: true }) =>
      ended(await (await import('./work.ts')).runWork(terminal.env, wanted)),
    );
  program
    .command('dashboard')
    .description('run Bull Board and the operations page')
    .action(async () => ended(await (await import('./dashboard.ts')).runDashboard(terminal.env)));
  program
    .command('sandbox')
    .description('run the stand-ins for the five providers')
    .action(async () => ended(await (await import('./sandbox.ts')).runSandbox(terminal.env)));
  addCare(program, terminal, ended);
  addRecovery(program, terminal, ended);
}

function addRecovery(program: Command, terminal: Terminal, ended: Ended): void {
  program
    .command('recover')
    .description(
      'give the engine again what it has lost; safe beside live workers, which do it by themselves',
    )
    .option('--dry-run', 'tell what would be given to it, by queue and state, and change nothing')
    .action(async (_flags, command: Command) =>
      (await import('./recover.ts')).runRecover(terminal, command.optsWithGlobals()),
    );
  program
    .command('drill')
    .description('lose the engine of a throwaway system in the middle of its work, and prove that no job is')
    .addOption(
      new Option('--engine <name>', 'default redis where redis-server is installed').choices([
        'redis',
        'postgres',
      ]),
    )
    .addOption(new Option('--jobs <number>', 'how many jobs').argParser(parseCount).default(120))
    .addOption(durationOption('--timeout <time>', 'how long the jobs may take').default(120_000, '2m'))
    .action(async (_flags, command: Command) =>
      ended(await (await import('./drill.ts')).runDrill(terminal, command.optsWithGlobals())),
    );
}

function addUp(program: Command, terminal: Terminal, ended: Ended): void {
  program
    .command('up')
    .description('run the whole system, for development')
    .option(
      '--port <number>',
      'first port: API, dashboard, sandbox, its mail, work; 0 takes free ones',
      parseFirstPort,
    )
    .option('--no-sandbox', 'no stand-ins: every provider needs its key')
    .addHelpText(
      'after',
      '\nExamples:\n  $ storytime up\n  $ REDIS_URL=redis://localhost storytime up --port 5000\n',
    )
    .action(async (_flags, command: Command) =>
      ended(await (await import('./up.ts')).runUp(terminal, command.optsWithGlobals())),
    );
}

function addCare(program: Command, terminal: Terminal, ended: Ended): void {
  program
    .command('migrate')
    .description('bring the database up to date')
    .option(
      '--rolled-back <migration>',
      'declare a failed migration undone first, after its file was corrected',
    )
    .action(async (_flags, command: Command) =>
      (await import('./migrate.ts')).runMigrate(terminal, command.optsWithGlobals()),
    );
  program
    .command('doctor')
    .alias('check')
    .description('look at everything a system needs and tell all problems at once')
    .action(async (_flags, command: Command) =>
      ended(await (await import('./doctor.ts')).runDoctor(terminal, command.optsWithGlobals())),
    );
  program
    .command('keys')
    .description('keys of the API and the dashboard')
    .command('create')
    .description('make a key and print it, once')
    .requiredOption('--name <text>', 'who uses it')
    .option('--tenant <name>', 'whose jobs it sees', 'storytime')
    .option('--scope <scopes>', 'what it may, with commas between them', parseList, [
      'enqueue:*',
      'jobs:read',
    ])
    .addOption(durationOption('--expires <time>', 'how long it is valid, as 90d'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ storytime keys create --name main-api --scope enqueue:*\n  $ storytime keys create --name ada --scope jobs:read --expires 90d\n',
    )
    .action(async (_flags, command: Command) =>
      (await import('./keys-create.ts')).runKeysCreate(terminal, command.optsWithGlobals()),
    );
}
