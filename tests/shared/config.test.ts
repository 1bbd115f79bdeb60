// Covers: shared/settings.ts, shared/addresses.ts
// The configuration: every problem at once, none of them a secret, and what a setting may be.
import { expect, test } from '@jest/globals';
import { parse } from 'pg-connection-string';
import { sessionOf } from '../../shared/addresses.ts';
import {
  clientSettings,
  drainMs,
  isChosen,
  isSandboxed,
  loadConfig,
  providerKeys,
} from '../../shared/config.ts';
import { ConfigError } from '../../shared/errors.ts';

const keys = {
  GEMINI_API_KEY: 'g',
  ELEVENLABS_API_KEY: 'e',
  DEEPGRAM_API_KEY: 'd',
  CLOUDINARY_URL: 'cloudinary://1:s@c',
  SMTP_URL: 'smtps://u:p@mail.example',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('an empty environment is a development system on defaults that nobody can change afterwards', () => {
  const config = loadConfig({ STORYTIME_API_PORT: '', PATH: '/bin' });
  expect(config).toMatchObject({
    NODE_ENV: 'development',
    STORYTIME_SANDBOX: 'auto',
    STORYTIME_API_PORT: 4000,
    warnings: [],
  });
  expect(providerKeys.every((key) => isSandboxed(config, key))).toBe(true);
  expect(Object.isFrozen(config)).toBe(true);
});

test('all problems are told in one error, and no value that could be a secret is in it', () => {
  const problems = problemsOf({
    DATABASE_URL: 'mysql://root:hunter2@db/x',
    REDIS_URL: 'http://redis:6379',
    STORYTIME_API_PORT: '70000',
    STORYTIME_LEDGER_POOL: '0',
    STORYTIME_CONCURRENCY_SCALE: '1000000',
    STORYTIME_GRACE_MS: '-1',
    STORYTIME_BREAKER: 'auto ',
    STORYTIME_LINK_SECRET: 'too short',
    STORYTIME_API_PROT: '4000',
  });
  for (const name of [
    'DATABASE_URL',
    'REDIS_URL',
    'API_PORT',
    'LEDGER_POOL',
    'SCALE',
    'GRACE',
    'BREAKER',
    'LINK_SECRET',
  ])
    expect(problems.some((problem) => problem.includes(name))).toBe(true);
  expect(problems).toContain('STORYTIME_API_PROT is not a setting; did you mean STORYTIME_API_PORT?');
  expect(problems.join()).not.toMatch(/hunter2|too short/);
});

test('an address that its user could not decode is refused at the start, without its secret', () => {
  const wrong = {
    DATABASE_URL: 'postgres://u:hunter2%ff@db/x',
    CLOUDINARY_URL: 'cloudinary://1:hunter2%off@c',
    SMTP_URL: 'smtps://u:hunter2%off@mail.example:465',
  };
  const problems = problemsOf(wrong);
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual(Object.keys(wrong));
  for (const problem of problems) expect(problem).toMatch(/^(?!.*hunter2).* cannot be decoded; .* as %25$/);
  expect(problemsOf({ DATABASE_URL: 'postgres://u:p@db/x%ff' })).toHaveLength(1);
  expect(problemsOf({ SMTP_URL: 'smtps://u:50%25off@mail.example' })).toEqual([]);
});

test('a database address is refused exactly when the driver cannot read it', () => {
  const secrets = ['p', '50%off', '50%25off', '%', 'a%2', '%80%zz', '%ff', '%ff%zz', 'f%C3%BCr', 'a b'];
  const refused = secrets.filter((secret) => problemsOf({ DATABASE_URL: `postgres://u:${secret}@db/x` })[0]);
  const unread = secrets.filter((secret) => {
    try {
      return parse(`postgres://u:${secret}@db/x`).host !== 'db';
    } catch {
      return true;
    }
  });
  expect(refused).toEqual(unread);
  expect(unread).toEqual(['%80%zz', '%ff']);
});

test('the options of an address are told apart from it, wherever they stand, and the rest of it is as it was', () => {
  const ours = '-c a=b';
  for (const [address, rest, given] of [
    ['postgres://u:50%off@db/x', 'postgres://u:50%off@db/x', ''],
    ['postgres://db/x?options=-c%20c%3Dd', 'postgres://db/x?', '-c c=d '],
    [
      'postgres://db/x?sslmode=require&options=-c+c%3Dd&y=1',
      'postgres://db/x?sslmode=require&&y=1',
      '-c c=d ',
    ],
    ['postgres://db/x?options=one&options=%ff', 'postgres://db/x?&', 'one \uFFFD '],
  ] as const)
    expect(sessionOf(address, ours)).toEqual({ connectionString: rest, options: given + ours });
  expect(
    parse(sessionOf('postgres://db/x?sslmode=disable&options=a&y=1', ours).connectionString),
  ).toMatchObject({
    host: 'db',
    ssl: false,
    y: '1',
  });
});

test('a Cloudinary address that lacks its key, secret or cloud is refused', () => {
  for (const url of ['cloudinary://key@cloud', 'cloudinary://:hidden@cloud', 'cloudinary:///cloud'])
    expect(problemsOf({ CLOUDINARY_URL: url })).toEqual([
      'CLOUDINARY_URL lacks a part; write cloudinary://key:secret@cloud',
    ]);
});

test('an address that paths are appended to loses the slashes at its end, and has no query', () => {
  const given = {
    STORYTIME_PUBLIC_URL: 'https://jobs.example/api//',
    STORYTIME_SANDBOX_URL: 'http://fake:4002/',
  };
  expect(loadConfig(given)).toMatchObject({
    STORYTIME_PUBLIC_URL: 'https://jobs.example/api',
    STORYTIME_SANDBOX_URL: 'http://fake:4002',
  });
  for (const end of ['?a=1', '#top'])
    expect(problemsOf({ STORYTIME_PUBLIC_URL: `https://jobs.example/${end}` })).toEqual([
      'STORYTIME_PUBLIC_URL must end with its host or path, without ? and #',
    ]);
});

test('a sender that no mail server would take is refused at the start, not by the death of every mail', () => {
  const good = ['stories@example.com', 'Storytime <stories@example.com>', '"Ada, Bo" <a.b+c@müller.example>'];
  for (const STORYTIME_MAIL_FROM of good) expect(problemsOf({ STORYTIME_MAIL_FROM })).toEqual([]);
  const bad = [
    'Storytime',
    'Storytime stories@example.com',
    'A <a@b.example',
    'a@b@c',
    'A\nB <a@b.example>',
    '<@>',
  ];
  for (const STORYTIME_MAIL_FROM of bad)
    expect(problemsOf({ STORYTIME_MAIL_FROM })).toEqual([
      'STORYTIME_MAIL_FROM is no sender; write it as Storytime <stories@example.com>',
    ]);
});

test('settings that contradict each other are refused with both values', () => {
  expect(problemsOf({ STORYTIME_LEASE_MS: '3000', STORYTIME_RENEW_MS: '2000' })).toEqual([
    'STORYTIME_RENEW_MS (2000) must be at most a third of STORYTIME_LEASE_MS (3000)',
  ]);
});

test('an API drains for five seconds in production, for none elsewhere, and never longer than its grace', () => {
  const production = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://db/storytime',
    STORYTIME_SANDBOX: 'on',
    STORYTIME_LINK_SECRET: 'a-secret-of-the-tests-0123456789',
    STORYTIME_PUBLIC_URL: 'https://jobs.example',
  };
  const brief = { STORYTIME_GRACE_MS: '3000' };
  const chosen = { ...brief, STORYTIME_DRAIN_MS: '200' };
  const given = [{}, production, { ...production, ...brief }, chosen, { ...production, ...chosen }];
  expect(given.map((env) => drainMs(loadConfig(env)))).toEqual([0, 5_000, 3_000, 200, 200]);
  expect(problemsOf({ ...brief, STORYTIME_DRAIN_MS: '3001' })).toEqual([
    'STORYTIME_DRAIN_MS (3001) must be at most STORYTIME_GRACE_MS (3000)',
  ]);
});

test('production wants its database, every provider key, a link secret and its public address, unless the sandbox is asked for', () => {
  const problems = problemsOf({ NODE_ENV: 'production' });
  const needed = ['DATABASE_URL', 'STORYTIME_LINK_SECRET', 'STORYTIME_PUBLIC_URL'];
  for (const name of [...providerKeys, ...needed]) expect(problems.join('\n')).toContain(name);
  const own = {
    DATABASE_URL: 'postgres://db/storytime',
    STORYTIME_LINK_SECRET: 'a-secret-of-the-tests-0123456789',
    STORYTIME_PUBLIC_URL: 'https://jobs.example',
    STORYTIME_DAILY_BUDGET_USD: '50',
  };
  expect(loadConfig({ NODE_ENV: 'production', ...own, ...keys }).STORYTIME_SANDBOX).toBe('off');
  const played = { NODE_ENV: 'production', ...own, STORYTIME_SANDBOX: 'auto' };
  expect(problemsOf(played)).toEqual([]);
  expect(loadConfig({ ...played, GEMINI_API_KEY: 'g' }).warnings).toEqual([
    'STORYTIME_SANDBOX=auto in production: the sandbox plays elevenlabs, deepgram, cloudinary, smtp; nothing of that is real',
  ]);
  expect(loadConfig({ ...played, ...keys }).warnings).toEqual([]);
  expect(loadConfig({ ...played, ...keys, STORYTIME_DAILY_BUDGET_USD: '' }).warnings).toEqual([
    expect.stringContaining('STORYTIME_DAILY_BUDGET_USD is not set'),
  ]);
});

test('production does not sign links with a secret that anybody can guess', () => {
  const env = {
    DATABASE_URL: 'postgres://db/storytime',
    STORYTIME_SANDBOX: 'on',
    STORYTIME_LINK_SECRET: '0'.repeat(64),
    STORYTIME_PUBLIC_URL: 'https://jobs.example',
  };
  expect(problemsOf({ ...env, NODE_ENV: 'production' })).toEqual([
    expect.stringMatching(/^STORYTIME_LINK_SECRET repeats one character(?!.*000)/),
  ]);
  expect(problemsOf(env)).toEqual([]);
});

test('a key sends its own provider to the real service; with the sandbox on, keys are ignored with one warning', () => {
  const mixed = loadConfig({ GEMINI_API_KEY: 'g' });
  expect(providerKeys.map((key) => isSandboxed(mixed, key))).toEqual([false, true, true, true, true]);
  const on = loadConfig({ ...keys, STORYTIME_SANDBOX: 'on' });
  expect(providerKeys.every((key) => isSandboxed(on, key))).toBe(true);
  expect(on.warnings).toHaveLength(1);
  const dummies = { CLOUDINARY_URL: 'dummy', SMTP_URL: 'mail.example:25', STORYTIME_SANDBOX: 'on' };
  expect(loadConfig(dummies).warnings).toEqual([
    'STORYTIME_SANDBOX=on: CLOUDINARY_URL, SMTP_URL are ignored',
  ]);
  expect(problemsOf({ ...dummies, STORYTIME_SANDBOX: 'auto' })).toHaveLength(2);
});

test('a value of white space alone is not set: it becomes neither a budget of nothing nor any free port', () => {
  const blank = { STORYTIME_DAILY_BUDGET_USD: ' ', STORYTIME_API_PORT: '\t', STORYTIME_HOME: ' \n' };
  expect(loadConfig(blank)).toEqual(loadConfig({}));
  expect(clientSettings({ ...blank, STORYTIME_URL: ' ', STORYTIME_KEY: ' ' })).toEqual(clientSettings({}));
  expect(isChosen(blank, 'STORYTIME_API_PORT')).toBe(false);
});

test('the client has two settings of its own, and an empty value is not set', () => {
  const env = { STORYTIME_URL: 'http://api:4000', STORYTIME_KEY: '' };
  expect(loadConfig(env).warnings).toEqual([]);
  expect(clientSettings(env)).toEqual({ url: 'http://api:4000', key: undefined, home: '.storytime' });
  expect(isChosen({ STORYTIME_API_PORT: '4000' }, 'STORYTIME_API_PORT')).toBe(true);
  expect(isChosen({ STORYTIME_API_PORT: '' }, 'STORYTIME_API_PORT')).toBe(false);
});
