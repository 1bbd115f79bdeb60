// The command line before it does anything: help, typing errors, exit codes, and where words go.
// Covers: cli/program.ts, cli/program-parts.ts, cli/program-jobs.ts, cli/arguments.ts, cli/exit.ts, cli/queue-names.ts,
// cli/version.ts
import { expect, test } from '@jest/globals';
import { readIdempotencyKey } from '../../api/idempotency.ts';
import { parseDuration, parseFirstPort, parseIdempotencyKey } from '../../cli/arguments.ts';
import { checkJob } from '../../queues/check.ts';
import { registry } from '../../queues/index.ts';
import { say } from './world.ts';

const commands = ['up', 'api', 'work', 'dashboard', 'sandbox', 'migrate', 'doctor', 'keys', 'jobs'];

test('help leads with examples, lists every command and goes to standard output', async () => {
  const { code, out, err } = await say(['--help']);
  expect([code, err]).toEqual([0, '']);
  expect(out.startsWith('Examples:\n  $ storytime up')).toBe(true);
  for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  for (const path of [...commands.slice(0, 7), 'jobs enqueue', 'jobs show', 'jobs wait', 'keys create']) {
    const help = await say([...path.split(' '), '--help']);
    expect([path, help.code, help.err]).toEqual([path, 0, '']);
    expect(help.out).toContain(`storytime ${path}`);
    expect(help.out).toContain('--json');
  }
});

test('help that is asked for by its name is done, for the program and for a command', async () => {
  for (const [line, usage] of [
    ['help', 'storytime'],
    ['help jobs', 'storytime jobs'],
    ['jobs help', 'storytime jobs'],
    ['jobs help enqueue', 'storytime jobs enqueue'],
  ] as const) {
    const { code, out, err } = await say(line.split(' '));
    expect([line, code, err]).toEqual([line, 0, '']);
    expect(out).toContain(`Usage: ${usage} [`);
  }
});

test('every payload in an example of the help is one that the API takes', async () => {
  const help = await Promise.all([[], ['jobs'], ['jobs', 'enqueue']].map((path) => say([...path, '--help'])));
  // Either `echo '{…}' | … enqueue <kind>` or `… enqueue <kind> --data '{…}'`.
  const forms =
    /'(?<piped>\{.*\})' \|\s+storytime jobs enqueue (?<of>\S+)|enqueue (?<kind>\S+) --data '(?<data>\{.*\})'/g;
  const text = help.map(({ out }) => out).join('');
  const examples = [...text.matchAll(forms)].map(({ groups = {} }) => ({
    kind: groups['kind'] ?? groups['of'],
    payload: JSON.parse(groups['data'] ?? groups['piped'] ?? '') as unknown,
  }));
  expect(examples).toHaveLength(text.split("'{").length - 1);
  expect(examples.length).toBeGreaterThan(2);
  for (const example of examples) expect(() => checkJob(registry, example, Date.now())).not.toThrow();
});

test('no command at all is help on standard error and wrong use', async () => {
  for (const argv of [[], ['jobs'], ['help', 'jbos']]) {
    const { code, out, err } = await say(argv);
    expect([argv, code, out]).toEqual([argv, 2, '']);
    expect(err).toContain('Usage: storytime');
  }
});

test('what cannot be meant is one line with a suggestion on standard error, and wrong use', async () => {
  const wrong: [string, string][] = [
    ['jbos', "unknown command 'jbos' (Did you mean jobs?)"],
    ['jobs enqeue x', "unknown command 'enqeue' (Did you mean enqueue?)"],
    ['up --prot 1', "unknown option '--prot' (Did you mean --port?)"],
    ['up --port', "option '--port <number>' argument missing"],
    ['up --port 70000', 'Write a whole number from 0 to 65531'],
    ['jobs wait', "missing required argument 'id'"],
    ['jobs wait x y', 'too many arguments'],
    ['jobs wait x --timeout 5', 'Write a number with its unit'],
    ['jobs enqueue x --delay 5m --at 2026-12-24T18:00:00Z', "cannot be used with option '--at <time>'"],
    ['jobs enqueue x --priority urgent', 'Allowed choices are high, normal, low.'],
    ['jobs enqueue x --key Größe', 'Write 1 to 255 printable ASCII characters.'],
    ['jobs enqueue x --at tomorrow', '--at tomorrow is not a time'],
    ['jobs enqueue x --at 2026-12-24T18:00:00', 'is not a time with its zone'],
    ['jobs enqueue x --at 2027-02-30T18:00:00Z', 'is not a time with its zone'],
    ['jobs enqueue x --at 5', 'is not a time with its zone'],
    ['work --queues emial', 'there is no queue emial; did you mean email?'],
    ['work --queues email,', 'Write names with commas between them.'],
    ['keys create --name a --scope all', 'not a scope: all'],
  ];
  for (const [line, expected] of wrong) {
    const { code, out, err } = await say(line.split(' '));
    expect([line, code, out]).toEqual([line, 2, '']);
    expect(err).toContain(expected);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  }
});

test('a key is of one tenant that can be read: not everybody, not nobody, not one that only looks like another', async () => {
  const strange = ['', ' ', '*', ' acme', 'ac\nme', 'ac\u200Bme', '\u0000', '\uD800', 'a'.repeat(101)];
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' };
  for (const tenant of strange) {
    const { code, out, err } = await say(['keys', 'create', '--name', 'ada', '--tenant', tenant], env);
    expect([tenant, code, out]).toEqual([tenant, 2, '']);
    expect(err).toMatch(/tenant/);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  }
  expect(await say(['keys', 'create', '--name', ''], env)).toMatchObject({ code: 2, out: '' });
});

test('a configuration that cannot be used is told with all its problems at once', async () => {
  const env = {
    DATABASE_URL: 'mysql://u:hunter2@h/d',
    SMTP_URL: 'smtps://u:hunter2%off@h:465',
    STORYTIME_API_PORT: 'x',
    STORYTIME_HOEM: '/tmp',
  };
  for (const command of ['up', 'api', 'work', 'dashboard', 'sandbox', 'migrate']) {
    const { code, out, err } = await say([command], env);
    expect([command, code, out]).toEqual([command, 2, '']);
    expect(err).toContain('DATABASE_URL must be a URL that starts with postgres://');
    expect(err).toContain('SMTP_URL cannot be decoded');
    expect(err).toContain('STORYTIME_API_PORT');
    expect(err).toContain('did you mean STORYTIME_HOME?');
    expect(err).not.toContain('hunter2');
  }
});

test('with --json an error is one JSON document with the schema and the exit code', async () => {
  const { code, out, err } = await say(['migrate', '--json'], { STORYTIME_API_PORT: 'x' });
  expect([code, out]).toEqual([2, '']);
  expect(JSON.parse(err)).toMatchObject({ schema: 1, error: { exitCode: 2, details: [expect.any(String)] } });
});

test('the first port of a system leaves room for the other four', () => {
  expect(['0', '4000', '65531'].map(parseFirstPort)).toEqual([0, 4_000, 65_531]);
  for (const text of ['65532', '65536', '-1', '4e3', ''])
    expect(() => parseFirstPort(text)).toThrow('five ports in a row are taken');
});

test('an idempotency key is one that the API takes', () => {
  for (const text of ['order:7 "a"', ' ', 'x'.repeat(255)]) {
    expect(parseIdempotencyKey(text)).toBe(text);
    expect(readIdempotencyKey(`"${text.replaceAll(/["\\]/g, '\\$&')}"`)).toBe(text);
  }
  for (const text of ['', 'x'.repeat(256), 'ö', 'a\nb']) {
    expect(() => parseIdempotencyKey(text)).toThrow('printable ASCII');
    expect(() => readIdempotencyKey(`"${text}"`)).toThrow('printable ASCII');
  }
});

test('a time has a unit', () => {
  expect(['500ms', '30s', '1.5m', '2h', '90d'].map(parseDuration)).toEqual([
    500, 30_000, 90_000, 7_200_000, 7_776_000_000,
  ]);
  for (const text of ['5', 'm', '-5m', '5 m', '5w', '', '1e3s', '9'.repeat(400) + 's'])
    expect(() => parseDuration(text)).toThrow('unit');
});
