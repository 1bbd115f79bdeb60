// The `jobs` commands: they speak HTTP to the API, like any other client.
import { Option, type Command } from 'commander';
import { durationOption, parseIdempotencyKey } from './arguments.ts';
import type { Terminal } from './terminal.ts';

export function addJobs(program: Command, terminal: Terminal): void {
  const jobs = program
    .command('jobs')
    .description('enqueue jobs and see what became of them')
    .addHelpText(
      'after',
      '\nThe API is the one of STORYTIME_URL and STORYTIME_KEY, else the one `storytime up` runs in this folder.\n',
    );
  addEnqueue(jobs, terminal);
  jobs
    .command('cancel <id>')
    .description('end a job and all that is open below it')
    .action(async (id: string, _flags, command: Command) =>
      (await import('./jobs-cancel.ts')).runCancel(terminal, id, command.optsWithGlobals()),
    );
  jobs
    .command('show <id>')
    .description('show a job')
    .option('--attempts', 'with its attempts')
    .option('--steps', 'with its steps and what they cost')
    .action(async (id: string, _flags, command: Command) =>
      (await import('./jobs-show.ts')).runShow(terminal, id, command.optsWithGlobals()),
    );
  addWait(jobs, terminal);
}

function addEnqueue(jobs: Command, terminal: Terminal): void {
  jobs
    .command('enqueue <kind>')
    .description('enqueue a job and print its id')
    .option('--data <json>', 'the payload: JSON, @file, or - for standard input', '{}')
    .option('--key <text>', 'idempotency key: the same key and payload make one job', parseIdempotencyKey)
    .addOption(durationOption('--in, --delay <time>', 'first run after this long, as 5m').conflicts('at'))
    .option('--at <time>', 'first run at this time, as 2026-12-24T18:00:00Z')
    .addOption(
      new Option('--priority <level>', 'order among waiting jobs').choices(['high', 'normal', 'low']),
    )
    .option('--wait', 'wait for the result and print it')
    .option('--tree', 'wait for the job and everything it gives birth to')
    .addOption(
      durationOption('--timeout <time>', 'give up waiting after this long; the job goes on').default(
        600_000,
        '10m',
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ storytime jobs enqueue generate-story --data '{"childName":"Ada","age":6,"theme":"the sea"}'
  $ storytime jobs enqueue generate-story --data @story.json --key order-7 --tree
  $ echo '{"report":"usage","from":"2026-11-01T00:00:00Z","to":"2026-12-01T00:00:00Z"}' |
      storytime jobs enqueue generate-report --data - --delay 5m --priority low
`,
    )
    .action(async (kind: string, _flags, command: Command) =>
      (await import('./jobs-enqueue.ts')).runEnqueue(terminal, kind, command.optsWithGlobals()),
    );
}

function addWait(jobs: Command, terminal: Terminal): void {
  jobs
    .command('wait <id>')
    .description('wait until a job has ended; exit 0 succeeded, 3 not, 124 out of time')
    .option('--tree', 'and everything it gave birth to')
    .addOption(
      new Option('--for <end>', 'final: an end without success is 0, too')
        .choices(['succeeded', 'final'])
        .default('succeeded')
        .conflicts('tree'),
    )
    .addOption(
      durationOption('--timeout <time>', 'give up waiting after this long; the job goes on').default(
        600_000,
        '10m',
      ),
    )
    .action(async (id: string, _flags, command: Command) =>
      (await import('./jobs-wait.ts')).runWait(terminal, id, command.optsWithGlobals()),
    );
}
