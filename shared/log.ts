// The log: one JSON line per fact. One wide line per attempt at info, other transitions at debug, never a payload.
import { destination, pino, stdTimeFunctions } from 'pino';
import type { EventBus } from './events.ts';

export type Log = pino.Logger;

export interface LogOptions {
  level: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  /** The process's part: `api`, `work`, `dashboard`, `sandbox`, `up`. */
  part: string;
}

/**
 * Lines go to stdout in small batches, at the latest after half a second and always before the process ends: a write per
 * line would cost more than the rest of a short job. Events carry facts from closed sets only: there is no field that could hold a secret.
 */
export function createLog(options: LogOptions): Log {
  const target = destination({ fd: 1, sync: false, minLength: 8_192 });
  const flush = (): void => {
    try {
      target.flushSync();
    } catch {
      // stdout is not open yet, or its reader is gone: there is nowhere left to say so
    }
  };
  setInterval(() => target.flush(), 500).unref();
  process.once('exit', flush);
  return pino(
    {
      level: options.level,
      base: { part: options.part, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    target,
  );
}

/** An event's own `message` is logged as `error`: a line with two `message` keys would lose the first. */
function factsOf({ message, ...facts }: { message?: string }): object {
  return message === undefined ? facts : { ...facts, error: message };
}

/** Subscribes the log to every event. */
export function logEvents(events: EventBus, log: Log): void {
  events.on('attempt.ended', (event) => log.info(factsOf(event), `${event.kind} ${event.outcome}`));
  events.on('job.finished', (event) => log.debug(event, `${event.kind} is ${event.state}`));
  events.on('step.ended', (event) => log.debug(event, `step ${event.step} ${event.result}`));
  events.on('relay.failed', (event) =>
    log.warn(factsOf(event), 'jobs could not be given to the engine; they stay in the ledger'),
  );
  events.on('maintenance.done', (event) =>
    event.count > 0 ? log.info(event, `${event.duty}: ${event.count}`) : undefined,
  );
  events.on('maintenance.failed', (event) =>
    log.warn(factsOf(event), `${event.duty} failed; it will be tried again`),
  );
  events.on('engine.changed', (event) =>
    log[event.ready ? 'info' : 'warn'](
      factsOf(event),
      `engine ${event.name} is ${event.ready ? 'ready' : 'away'}`,
    ),
  );
  events.on('provider.breaker', (event) => log.warn(event, `${event.provider}: breaker ${event.state}`));
  events.on('ledger.slow', (event) => log.warn(event, `slow query ${event.action}: ${event.durationMs} ms`));
  events.on('http.answered', (event) =>
    log[event.status >= 500 ? 'warn' : 'debug'](event, `${event.method} ${event.route} ${event.status}`),
  );
  events.on('notice', (event) => log[event.level](event.facts ?? {}, event.message));
}
