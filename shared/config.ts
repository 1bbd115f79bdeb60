// The configuration: one schema, read from the environment once, frozen, passed down. The only reader of process.env.
// Every problem is reported at once; a mistyped STORYTIME_ name gets a suggestion instead of being ignored.
import type { z } from 'zod';
import { ConfigError } from './errors.ts';
import { settings } from './settings.ts';
import { nearest } from './text.ts';

type Settings = typeof settings;
type Values = { [K in keyof Settings]: z.output<Settings[K][0]> };

/** The parsed settings, named as in the environment, plus what follows from them. */
export type Config = Readonly<
  Values & { STORYTIME_SANDBOX: 'auto' | 'on' | 'off'; warnings: readonly string[] }
>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's own environment; `loadConfig(environment())` is how every entry starts. */
export function environment(): Environment {
  return process.env;
}

/** Parses an environment. Throws a ConfigError that lists every problem; never prints a secret. */
export function loadConfig(env: Environment): Config {
  const found: string[] = [...unknownNames(env)];
  const given = withoutBlanks(env);
  const ignored: readonly string[] =
    given['STORYTIME_SANDBOX'] === 'on' ? providerKeys.filter((key) => key in given) : [];
  const values: Record<string, unknown> = {};
  for (const [name, [schema]] of Object.entries(settings)) {
    // A key that nobody uses may be anything.
    const parsed = schema.safeParse(ignored.includes(name) ? undefined : given[name]);
    if (parsed.success) values[name] = parsed.data;
    else found.push(`${name} ${parsed.error.issues.map((issue) => issue.message).join(', ')}`);
  }
  if (found.length > 0) throw new ConfigError(found);
  const config = values as Values;
  const sandbox = config.STORYTIME_SANDBOX ?? (config.NODE_ENV === 'production' ? 'off' : 'auto');
  found.push(...contradictions({ ...config, STORYTIME_SANDBOX: sandbox }));
  if (found.length > 0) throw new ConfigError(found);
  return Object.freeze({
    ...config,
    STORYTIME_SANDBOX: sandbox,
    warnings: Object.freeze([
      ...warningOf(ignored),
      ...unlimited(config),
      ...sandboxedInProduction(config, sandbox),
    ]),
  });
}

/** What the commands that speak HTTP need: the API's address and a key, both optional, and the home folder. */
export function clientSettings(env: Environment): {
  url: string | undefined;
  key: string | undefined;
  home: string;
} {
  const [home] = settings.STORYTIME_HOME;
  const given = withoutBlanks(env);
  return {
    url: given['STORYTIME_URL'],
    key: given['STORYTIME_KEY'],
    home: home.parse(given['STORYTIME_HOME']),
  };
}

/** Whether somebody chose this setting, rather than left it to its default. */
export function isChosen(env: Environment, name: keyof typeof settings): boolean {
  return !isBlank(env[name]) && !isService(name, env[name]);
}

/** The environment without what counts as not set: empty values, those of white space alone, and what Kubernetes tells. */
export function withoutBlanks(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => !isBlank(value) && !isService(name, value)),
  );
}

function isBlank(value: string | undefined): value is undefined {
  return value === undefined || value.trim() === '';
}

const serviceName = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;

/**
 * Kubernetes tells each container of the services beside it: one that is called storytime-api comes as STORYTIME_API_PORT, with an
 * address where we expect a number.
 */
function isService(name: string, value = ''): boolean {
  return serviceName.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//i.test(value));
}

export const providerKeys = [
  'GEMINI_API_KEY',
  'ELEVENLABS_API_KEY',
  'DEEPGRAM_API_KEY',
  'CLOUDINARY_URL',
  'SMTP_URL',
] as const;
export type ProviderKey = (typeof providerKeys)[number];

/** Whether calls for this key go to the sandbox. */
export function isSandboxed(config: Config, key: ProviderKey): boolean {
  return (
    config.STORYTIME_SANDBOX === 'on' || (config.STORYTIME_SANDBOX === 'auto' && config[key] === undefined)
  );
}

/** Millionths of a dollar that a tenant without a budget of its own may spend in a day; undefined: no limit. */
export function dailyBudgetMicroUsd({ STORYTIME_DAILY_BUDGET_USD: usd }: Config): number | undefined {
  return usd === undefined ? undefined : Math.round(usd * 1_000_000);
}

/** How long a stopping API goes on accepting. */
export function drainMs({
  STORYTIME_DRAIN_MS: ms,
  STORYTIME_GRACE_MS: graceMs,
  NODE_ENV: env,
}: Config): number {
  return ms ?? (env === 'production' ? Math.min(5_000, graceMs) : 0);
}

/** Names that are ours but no setting of a server: those of `clientSettings`. */
const foreign = new Set(['STORYTIME_URL', 'STORYTIME_KEY']);

function unknownNames(env: Environment): string[] {
  const known = Object.keys(settings);
  const isForeign = (name: string): boolean => foreign.has(name) || isService(name, env[name]);
  return Object.keys(env)
    .filter((name) => name.startsWith('STORYTIME_') && !known.includes(name) && !isForeign(name))
    .map((name) => {
      const guess = nearest(name, known);
      return `${name} is not a setting${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    });
}

function contradictions(config: Values): string[] {
  const found: string[] = [];
  if (config.STORYTIME_RENEW_MS * 3 > config.STORYTIME_LEASE_MS) {
    found.push(
      `STORYTIME_RENEW_MS (${config.STORYTIME_RENEW_MS}) must be at most a third of STORYTIME_LEASE_MS (${config.STORYTIME_LEASE_MS})`,
    );
  }
  const { STORYTIME_DRAIN_MS: drain, STORYTIME_GRACE_MS: grace } = config;
  if (drain !== undefined && drain > grace)
    found.push(`STORYTIME_DRAIN_MS (${drain}) must be at most STORYTIME_GRACE_MS (${grace})`);
  if (config.STORYTIME_SANDBOX === 'off') {
    found.push(
      ...providerKeys
        .filter((key) => config[key] === undefined)
        .map(
          (key) => `${key} is missing; set it, or for tests let the sandbox answer: STORYTIME_SANDBOX=auto`,
        ),
    );
  }
  if (config.NODE_ENV === 'production') {
    if (config.DATABASE_URL === undefined)
      found.push(
        'DATABASE_URL is required in production: the embedded server would be empty, and seen by nobody else',
      );
    found.push(...weakSecret(config.STORYTIME_LINK_SECRET));
    if (config.STORYTIME_PUBLIC_URL === undefined)
      found.push('STORYTIME_PUBLIC_URL is required in production: the links in mails begin with it');
  }
  return found;
}

function weakSecret(secret: string | undefined): string[] {
  if (secret === undefined) return ['STORYTIME_LINK_SECRET is required in production'];
  if (new Set(secret).size > 1) return [];
  return [
    'STORYTIME_LINK_SECRET repeats one character, which anybody can guess; make one with `openssl rand -hex 32`',
  ];
}

function sandboxedInProduction(config: Values, sandbox: string): string[] {
  if (config.NODE_ENV !== 'production' || sandbox === 'off') return [];
  const played = providerKeys.filter((key) => sandbox === 'on' || config[key] === undefined);
  if (played.length === 0) return [];
  const what = played.map((key) => key.replace(/_.*/, '').toLowerCase()).join(', ');
  return [`STORYTIME_SANDBOX=${sandbox} in production: the sandbox plays ${what}; nothing of that is real`];
}

function unlimited({ NODE_ENV, STORYTIME_DAILY_BUDGET_USD: usd }: Values): string[] {
  if (NODE_ENV !== 'production' || usd !== undefined) return [];
  return [
    'STORYTIME_DAILY_BUDGET_USD is not set: tenants without a row in table `budget` may spend without end',
  ];
}

function warningOf(ignored: readonly string[]): string[] {
  if (ignored.length === 0) return [];
  return [`STORYTIME_SANDBOX=on: ${ignored.join(', ')} ${ignored.length === 1 ? 'is' : 'are'} ignored`];
}
