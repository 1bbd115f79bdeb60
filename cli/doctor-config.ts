// What `storytime doctor` says of the configuration, and what of a wrong one can still be looked at: one mistyped setting hides
// neither another one nor a database that is away.
import { loadConfig, type Config, type Environment } from '../shared/config.ts';
import { ConfigError } from '../shared/errors.ts';
import type { Verdict } from './doctor-checks.ts';
import { readNote } from './home.ts';
import { timeZoneProblem } from './time-zone.ts';

export interface Configured {
  config: Config;
  /** Names of settings that are wrong or missing; what depends on one is not looked at. */
  wrong: ReadonlySet<string>;
  verdicts: Verdict[];
}

const check = 'configuration';

export function configuration(env: Environment): Configured {
  const { config, problems } = attempt(env);
  if (config !== undefined) {
    const detail = `${config.NODE_ENV}, sandbox ${config.STORYTIME_SANDBOX}`;
    const warnings = config.warnings.map((warning): Verdict => ({ check, status: 'warn', detail: warning }));
    return {
      config: withRunning(config),
      wrong: new Set(),
      verdicts: [{ check, status: 'ok', detail }, ...warnings],
    };
  }
  const first = new Set(problems.map(nameIn));
  // What contradicts itself is only found among settings that can be read.
  const more = attempt(without(env, first)).problems.filter(
    (problem) => ![...first].some((name) => problem.includes(name)),
  );
  const wrong = new Set([...first, ...more.map(nameIn)]);
  const verdicts = [...problems, ...more].map((detail): Verdict => ({ check, status: 'fail', detail }));
  return { config: withRunning(remains(env, wrong)), wrong, verdicts };
}

function attempt(env: Environment): { config?: Config; problems: readonly string[] } {
  const zone = timeZoneProblem(env);
  const problems = zone === undefined ? [] : [zone];
  try {
    const config = loadConfig(env);
    return problems.length === 0 ? { config, problems } : { problems };
  } catch (thrown) {
    if (thrown instanceof ConfigError) return { problems: [...thrown.problems, ...problems] };
    throw thrown;
  }
}

/** Every problem begins with the setting it is about. */
const nameIn = (problem: string): string => problem.split(' ', 1)[0] ?? '';

function without(env: Environment, names: ReadonlySet<string>): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}

/** Only for looking: as development without what can contradict, so that whatever else is right can be read. */
function remains(env: Environment, wrong: ReadonlySet<string>): Config {
  const times = ['LEASE', 'RENEW', 'DRAIN', 'GRACE'].map((name) => `STORYTIME_${name}_MS`);
  const contradicting = new Set([...wrong, 'NODE_ENV', ...times]);
  if (env['STORYTIME_SANDBOX'] === 'off') contradicting.add('STORYTIME_SANDBOX');
  const config = loadConfig(without(env, contradicting));
  return env['NODE_ENV'] === 'production' ? { ...config, NODE_ENV: 'production' } : config;
}

/** The settings as the running system of this folder has them, where the environment leaves them open. */
function withRunning(config: Config): Config {
  const found = readNote(config.STORYTIME_HOME);
  if (found?.alive !== true) return config;
  const { databaseUrl, mailbox } = found.note;
  const sandbox = mailbox === null ? {} : { STORYTIME_SANDBOX_URL: new URL(mailbox).origin };
  return { ...config, ...sandbox, DATABASE_URL: config.DATABASE_URL ?? databaseUrl };
}
