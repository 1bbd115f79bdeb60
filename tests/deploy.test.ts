// The compose file and the image against what they run: the command line, the settings, and the rules of a careful operator.
// Covers: cli/node-flags.ts
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { nodeFlags } from '../cli/node-flags.ts';
import { buildProgram } from '../cli/program.ts';
import { loadConfig, providerKeys } from '../shared/config.ts';
import { settings } from '../shared/settings.ts';

interface Service {
  image: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  env_file?: string;
  ports?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  init?: boolean;
  read_only?: boolean;
  profiles?: string[];
  stop_grace_period?: string;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
const program = buildProgram(
  { out: () => undefined, err: () => undefined, env: {}, isInteractive: false, readInput: () => undefined },
  () => undefined,
);
const commands = program.commands.map((command) => command.name());

/** A value as compose hands it on: `${NAME:-default}` is the default, `${NAME:?...}` is given. */
function fill(value: string, given: string): string {
  return value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll(/\$\{\w+:\?[^}]*\}/g, () => given);
}

function environmentOf({ environment = {} }: Service, given = 'given'): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(value, given)]));
}

/** `setting`: of .env, for the port outside; inside it is always the default. */
function onLoopback(port: number, setting?: string): string[] {
  return [`127.0.0.1:${setting === undefined ? port : `\${${setting}:-${port}}`}:${port}`];
}

function needsOf(name: string): [string, string][] {
  return Object.entries(services[name]?.depends_on ?? {}).map(([needed, { condition }]) => [
    needed,
    condition,
  ]);
}

const secrets = {
  STORYTIME_LINK_SECRET: 'a-secret-of-the-tests-0123456789',
  STORYTIME_PUBLIC_URL: 'https://jobs.example',
  GEMINI_API_KEY: 'key',
  ELEVENLABS_API_KEY: 'key',
  DEEPGRAM_API_KEY: 'key',
  CLOUDINARY_URL: 'cloudinary://1:secret@cloud',
  SMTP_URL: 'smtps://user:password@mail.example:465',
};

test('every part of the system is a service, and every service runs a command that exists', () => {
  const run = ours.map(([, { command }]) => command?.[0] ?? '');
  expect(new Set(run)).toEqual(new Set(['api', 'dashboard', 'migrate', 'sandbox', 'work']));
  for (const [, { command }] of ours) expect(commands).toContain(command?.[0]);
});

test('with its secrets in .env every service has a configuration that can be used, and without them it says what is missing', () => {
  for (const [, service] of ours) {
    const environment = environmentOf(service);
    const known = [...Object.keys(settings), 'PGPASSWORD']; // the latter is read by PostgreSQL's driver
    for (const name of Object.keys(environment)) expect(known).toContain(name);
    const config = loadConfig({ ...environment, ...secrets });
    expect(config.NODE_ENV).toBe('production');
    expect(config.REDIS_URL).toBe('redis://redis:6379');
    expect(() => loadConfig(environment)).toThrow(providerKeys[0]);
    const sandboxed = loadConfig({
      ...environment,
      STORYTIME_LINK_SECRET: secrets.STORYTIME_LINK_SECRET,
      STORYTIME_PUBLIC_URL: secrets.STORYTIME_PUBLIC_URL,
      STORYTIME_SANDBOX: 'on',
    });
    expect(new URL(sandboxed.STORYTIME_SANDBOX_URL).hostname).toBe('sandbox');
  }
});

test('any password opens the database, also one of base64 or with a % or an @', () => {
  const seen = `const { Client } = require('pg');
    const { user, password, host, port, database } = new Client({ connectionString: process.env.DATABASE_URL });
    console.log(JSON.stringify({ user, password, host, port, database }));`;
  const [user, host, port, database] = ['storytime', 'postgres', 5432, 'storytime'];
  for (const password of ['a/b+c==', '50%off', 'p@ss:w#rd?', ' %zz\\$&']) {
    for (const [, service] of ours)
      expect(loadConfig({ ...environmentOf(service, password), ...secrets }).NODE_ENV).toBe('production');
    const env = environmentOf(services['api'] ?? { image: '' }, password);
    const told = execFileSync(process.execPath, ['-e', seen], { env, encoding: 'utf8' });
    expect(JSON.parse(told)).toEqual({ user, password, host, port, database });
  }
});

test('published ports are those of the settings, on loopback, and never those of a datastore', () => {
  const { STORYTIME_API_PORT, STORYTIME_DASHBOARD_PORT, STORYTIME_SANDBOX_PORT, STORYTIME_WORK_PORT } =
    loadConfig({});
  const published = Object.fromEntries(
    Object.entries(services).map(([name, { ports = [] }]) => [name, ports]),
  );
  expect(published).toEqual({
    postgres: [],
    redis: [],
    migrate: [],
    worker: [],
    api: onLoopback(STORYTIME_API_PORT, 'STORYTIME_API_PORT'),
    dashboard: onLoopback(STORYTIME_DASHBOARD_PORT, 'STORYTIME_DASHBOARD_PORT'),
    sandbox: onLoopback(STORYTIME_SANDBOX_PORT),
  });
  expect(services['worker']?.healthcheck?.test.join(' ')).toContain(`:${STORYTIME_WORK_PORT}/readyz`);
  const opened = {
    worker: 'STORYTIME_WORK_HOST',
    api: 'STORYTIME_HOST',
    dashboard: 'STORYTIME_HOST',
    sandbox: 'STORYTIME_SANDBOX_HOST',
  };
  for (const [name, setting] of Object.entries(opened))
    expect(services[name]?.environment?.[setting]).toBe('0.0.0.0');
});

test('a port or folder of .env is not the one within a container: there health checks and neighbours count on the default', () => {
  const defaults = Object.entries(loadConfig({})).filter(([name]) => name.endsWith('_PORT'));
  expect(defaults).toHaveLength(5);
  for (const [, service] of ours) {
    for (const [name, port] of defaults) expect(service.environment?.[name]).toBe(String(port));
    expect(service.environment?.['STORYTIME_HOME']).toBe('/data');
  }
});

test('nothing starts before what it needs is healthy, and everything that stays is watched', () => {
  const migrated = ['migrate', 'service_completed_successfully'];
  expect(needsOf('migrate')).toEqual([['postgres', 'service_healthy']]);
  expect(needsOf('api')).toEqual([migrated]); // it accepts jobs while Redis is away
  for (const name of ['worker', 'dashboard'])
    expect(needsOf(name)).toEqual([migrated, ['redis', 'service_healthy']]);
  const watched = Object.keys(services).filter((name) => services[name]?.healthcheck !== undefined);
  expect(watched).toEqual(Object.keys(services).filter((name) => name !== 'migrate'));
});

test('Redis keeps what it has and never evicts a job; a worker is given longer to stop than it takes', () => {
  const redis = services['redis']?.command?.join(' ');
  expect(redis).toContain('--appendonly yes --appendfsync everysec --maxmemory-policy noeviction');
  const { STORYTIME_GRACE_MS } = loadConfig({});
  for (const [, service] of ours) {
    expect(Number.parseInt(service.stop_grace_period ?? '0', 10) * 1_000).toBeGreaterThan(STORYTIME_GRACE_MS);
    expect([service.init, service.read_only, service.env_file]).toEqual([true, true, '.env']);
  }
  expect(services['sandbox']?.profiles).toEqual(['sandbox']);
  expect(services['postgres']?.environment?.['POSTGRES_PASSWORD']).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
});

test('the image runs the program of package.json, not as root, with no secret built in', () => {
  const stages = readFileSync('Dockerfile', 'utf8')
    .split(/^FROM /m)
    .slice(1);
  const last = stages.at(-1) ?? '';
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { storytime: string } };
  const entry = /^ENTRYPOINT (.*)$/m.exec(last)?.[1] ?? '[]';
  // The flags are those that `storytime up` gives its processes.
  expect(JSON.parse(entry)).toEqual(['node', ...nodeFlags, bin.storytime]);
  expect(last.indexOf('USER node')).toBeGreaterThan(last.lastIndexOf('RUN'));
  expect(stages.every((stage) => stage.startsWith('node:24-slim'))).toBe(true);
  expect(last).not.toContain('npm');
  const copied = stages.flatMap((stage) =>
    [...stage.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from]) => (from ?? '').split(' ')),
  );
  for (const path of copied) expect([path, existsSync(path)]).toEqual([path, true]);
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
  for (const path of ['.env', '.storytime', 'node_modules', 'dist', '.git']) expect(ignored).toContain(path);
});
