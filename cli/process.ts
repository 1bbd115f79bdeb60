// The frame of every long-running part: configuration, log, metrics, and a life that ends in order. A promise nobody
// awaited is a bug: it is logged and ends the process, which its supervisor starts again.
import { loadConfig, type Config, type Environment } from '../shared/config.ts';
import { toError } from '../shared/errors.ts';
import { createEvents, type Emit } from '../shared/events.ts';
import { createLifecycle, stopOnSignals, type Lifecycle } from '../shared/lifecycle.ts';
import { createLog, logEvents } from '../shared/log.ts';
import { createMetrics, type Metrics } from '../shared/metrics.ts';
import { onParentGone } from '../shared/parent.ts';
import { deferred } from './deferred.ts';
import { readVersion } from './version.ts';

export type PartName = 'api' | 'work' | 'dashboard' | 'sandbox';
/** In the log. */
type LogName = PartName | 'lane';

/** What a child tells `storytime up` when it can be used. */
export interface ReadyMessage {
  type: 'ready';
  url: string;
}

/** What the quarantine lane tells its parent: that it can be used, or why it is going to end. */
export type LaneMessage = ReadyMessage | { type: 'fault'; message: string };

export interface Part {
  config: Config;
  version: string;
  emit: Emit;
  metrics: Metrics;
  lifecycle: Lifecycle;
  /** Stops the part in order; its command then ends with this error. */
  leave: (error: Error) => void;
  /** Called with each fault of ours, before the process stops because of it. */
  onFault: (listener: (message: string) => void) => void;
}

/** Once `up` is gone, nobody restarts and nobody watches: what is left of the work is handed back by its lease. */
const orphanMs = 3_000;

/**
 * Runs a part until it is stopped. `start` registers with the lifecycle what it opens, and resolves with the part's address.
 * Resolves with the exit code; rejects, with everything closed again, when the start fails.
 */
export async function runPart(
  name: LogName,
  env: Environment,
  start: (part: Part) => Promise<string>,
): Promise<number> {
  const config = loadConfig(env);
  const version = readVersion();
  const events = createEvents();
  logEvents(events, createLog({ level: config.STORYTIME_LOG_LEVEL, part: name }));
  const { emit } = events;
  const metrics = createMetrics(events, { version });
  const ended = deferred<number>();
  const { lifecycle, onFault } = openLife(config, emit, ended.resolve);
  let reason: Error | undefined;
  const leave = (error: Error): void => {
    reason ??= error;
    void lifecycle.stop(error.message);
  };
  for (const message of config.warnings) emit('notice', { level: 'warn', message });
  try {
    // A stop in the middle of the start can leave it waiting for what will never come.
    const url = await Promise.race([
      start({ config, version, emit, metrics, lifecycle, leave, onFault }),
      ended.promise,
    ]);
    if (typeof url === 'number') return url;
    emit('notice', { level: 'info', message: `${name} is ready`, facts: { url, version } });
    if (process.connected) process.send?.({ type: 'ready', url } satisfies ReadyMessage);
  } catch (thrown) {
    const asked = lifecycle.stopping; // what was just closed fails, and that is no news
    await lifecycle.stop('the start failed');
    if (!asked) throw thrown;
  }
  const code = await ended.promise;
  if (reason !== undefined) throw reason;
  return code;
}

/** After the grace: what is left of it is for giving jobs back and closing connections. */
const tidyMs = 1_900;
/** For one part, so that several whose store is away do not add up to a minute. */
const partMs = 1_000;

function openLife(
  config: Config,
  emit: Emit,
  exit: (code: number) => void,
): Pick<Part, 'lifecycle' | 'onFault'> {
  let failed = false;
  const listeners: ((message: string) => void)[] = [];
  const deadlineMs = config.STORYTIME_GRACE_MS + tidyMs;
  const lifecycle = createLifecycle({
    emit,
    deadlineMs,
    partMs,
    exit: (code) => exit(failed ? 1 : code),
  });
  const fail = (thrown: unknown): void => {
    const { message, stack } = toError(thrown);
    emit('notice', { level: 'error', message: `a fault of ours: ${message}`, facts: { stack } });
    // The first one ends the process, and is what its jobs are told of; a timer may throw on and on until it has left.
    if (!failed) for (const listener of listeners) listener(message);
    failed = true;
    void lifecycle.stop('a fault of ours');
  };
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);
  onParentGone(() => setTimeout(() => process.exit(1), orphanMs).unref());
  stopOnSignals(lifecycle);
  return { lifecycle, onFault: (listener) => void listeners.push(listener) };
}
