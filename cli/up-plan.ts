// What `storytime up` is going to start: the ports it may take and the environment of its parts. Everything a part needs
// is in its environment, so each could be started by hand with the same values.
import {
  isChosen,
  isSandboxed,
  providerKeys,
  withoutBlanks,
  type Config,
  type Environment,
} from '../shared/config.ts';
import { shownHost } from '../shared/addresses.ts';
import { CliError } from './exit.ts';
import { findPort } from './ports.ts';

export interface UpOptions {
  /** First port of the system, 0 for any free ones: API, dashboard, sandbox, its mail server, work. */
  port?: number;
  /** False: no sandbox; every provider needs its key. */
  sandbox?: boolean;
  json?: boolean;
}

const portNames = [
  'STORYTIME_API_PORT',
  'STORYTIME_DASHBOARD_PORT',
  'STORYTIME_SANDBOX_PORT',
  'STORYTIME_SANDBOX_SMTP_PORT',
  'STORYTIME_WORK_PORT',
] as const;

type Ports = Record<(typeof portNames)[number], number>;

/** The environment after the options; the sandbox stays where somebody else's address of one is given. */
export function withOptions(env: Environment, options: UpOptions): Environment {
  if (options.sandbox !== false || isChosen(env, 'STORYTIME_SANDBOX_URL')) return env;
  return { ...env, STORYTIME_SANDBOX: 'off' };
}

export function needsSandbox(config: Config, options: UpOptions): boolean {
  return options.sandbox !== false && providerKeys.some((key) => isSandboxed(config, key));
}

/** `patienceMs`: how long wanted ports may still be held by the parts of a system that was killed. */
export async function choosePorts(
  config: Config,
  env: Environment,
  options: UpOptions,
  patienceMs: number,
): Promise<Ports> {
  const ports = {} as Ports;
  const given = new Map<number, string>();
  for (const wish of wishesOf(config, env, options)) {
    const { setting, port, chosen } = wish;
    const other = given.get(port);
    if (other !== undefined && chosen)
      throw new CliError('wrongUse', `${setting} and ${other} are both ${port}; give each a port of its own`);
    const own = other === undefined ? wish : { ...wish, port: 0 };
    const where = { host: hostOf(setting, config), patienceMs };
    do ports[setting] = await findPort(own, where);
    while (given.has(ports[setting])); // drawn a second time
    given.set(ports[setting], setting);
  }
  return ports;
}

/** Those that somebody chose come first: a default one gives way to them. */
function wishesOf(config: Config, env: Environment, options: UpOptions) {
  const wishes = portNames.map((setting, offset) => {
    const byOption = options.port === undefined ? undefined : options.port === 0 ? 0 : options.port + offset;
    const chosen = isChosen(env, setting) || (offset === 0 && byOption !== undefined);
    const port = isChosen(env, setting) && offset > 0 ? config[setting] : (byOption ?? config[setting]);
    return { setting, port, chosen };
  });
  return wishes.toSorted((one, other) => Number(other.chosen) - Number(one.chosen));
}

function hostOf(setting: keyof Ports, config: Config): string {
  if (setting === 'STORYTIME_WORK_PORT') return config.STORYTIME_WORK_HOST;
  return setting.startsWith('STORYTIME_SANDBOX_') ? config.STORYTIME_SANDBOX_HOST : config.STORYTIME_HOST;
}

export interface Secrets {
  databaseUrl: string;
  linkSecret: string;
}

/** Work is given less time than by default, so that all of `up` stops within ten seconds. */
const graceMs = 4_500;

export function partEnvironment(
  config: Config,
  env: Environment,
  ports: Ports,
  secrets: Secrets,
): Environment {
  const host = shownHost(config.STORYTIME_SANDBOX_HOST);
  const text = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  return {
    STORYTIME_SANDBOX_URL: `http://${host}:${ports.STORYTIME_SANDBOX_PORT}`,
    STORYTIME_SANDBOX_SMTP_URL: `smtp://${host}:${ports.STORYTIME_SANDBOX_SMTP_PORT}`,
    ...withoutBlanks(env),
    STORYTIME_GRACE_MS: String(Math.min(graceMs, config.STORYTIME_GRACE_MS)),
    STORYTIME_DRAIN_MS: '0', // nobody balances load in front of it
    ...text,
    DATABASE_URL: secrets.databaseUrl,
    STORYTIME_LINK_SECRET: secrets.linkSecret,
  };
}
