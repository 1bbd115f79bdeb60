// The log: one JSON line per fact. One wide line per attempt at info, other transitions at debug, never a payload.
import { pino } from 'pino';
import type { EventBus } from './events.ts';

export type Log = pino.Logger;

export interface LogOptions {
  level: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  /** The process's part: `api`, `work`, `dashboard`, `sandbox`, `up`. */
  part: string;
}

/**
 * Lines go to stdout in batches, at the latest after a quarter of a second and always before the process ends: a write per
 * line would cost more than the rest of a short job. Events carry facts from closed sets only: there is no field that could
 * hold a secret.
 */
export function createLog(options: LogOptions): Log {
  const log: Log = pino(
    {
      level: options.level,
      base: { part: options.part, pid: process.pid },
      timestamp: isoTime(),
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    batchedStdout((lost) =>
      log.warn({ lost }, `${lost} lines of this log were lost: it could not be written`),
    ),
  );
  return log;
}

/** `,"time":"<ISO 8601>"`; written out once a millisecond: in a burst many lines share one. */
function isoTime(): () => string {
  let at = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) text = `,"time":"${new Date(now).toISOString()}"`;
    at = now;
    return text;
  };
}

const batchCharacters = 8_192;
/** A reader that stands still, and does not go away, must not fill this process's memory. */
const mostUnreadBytes = 4_000_000;

/**
 * pino's own buffered destination tries again for ever when the reader of stdout is gone, and so could hold an exit. A log that
 * cannot be written (a full disk, a reader that stands still) must not stop the work: its lines are dropped, and `onBack` is told
 * how many.
 */
function batchedStdout(onBack: (lost: number) => void): { write: (line: string) => void } {
  let batch = '';
  let lost = 0;
  const flush = (): void => {
    const text = batch;
    batch = '';
    if (stands()) lost += linesOf(text);
    // A line that was cut at the end of the disk must not take the next one with it.
    else if (text !== '')
      process.stdout.write(lost > 0 ? `\n${text}` : text, (error) => written(text, error ?? undefined));
  };
  const written = (text: string, error: Error | undefined): void => {
    if (error !== undefined) lost += linesOf(text);
    else if (lost > 0 && !stands()) {
      onBack(lost);
      lost = 0;
    }
  };
  process.stdout.on('error', () => undefined); // told by the write's own answer
  setInterval(flush, 250).unref();
  process.once('exit', flush);
  return {
    write(line) {
      batch += line;
      if (batch.length > batchCharacters) flush();
    },
  };
}

const stands = (): boolean => process.stdout.writableLength > mostUnreadBytes;
const linesOf = (text: string): number => text.split('\n').length - 1;

/** An event's own message goes under `reason`: `message` is the line's, and a key written twice is lost by most readers. */
function factsOf(event: { message?: string }): object {
  if (event.message === undefined) return event;
  const { message, ...facts } = event;
  return { ...facts, reason: message };
}

const alerts = {
  auth: 'the key is refused; its jobs wait until the key is changed or the gate is reset',
  quota_exhausted: 'the quota is used up; its jobs wait until it is raised or the gate is reset',
} as const;

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
  logHealth(events, log);
  events.on('provider.breaker', (event) => log.warn(event, `${event.gate}: breaker ${event.state}`));
  events.on('budget.exhausted', (event) =>
    log.error(event, `the budget of tenant ${event.tenant} is used up for today`),
  );
  events.on('provider.gate', (event) =>
    log.warn(event, `${event.gate}: gate ${event.state}${event.state === 'open' ? '' : `, ${event.reason}`}`),
  );
  events.on('provider.alert', (event) => {
    const whose = event.reason === 'auth' ? event.provider : event.gate; // a key is for all models, a quota for one
    log.error(event, `${whose}: ${alerts[event.reason]}`);
  });
  events.on('ledger.slow', (event) => log.warn(event, `slow query ${event.action}: ${event.durationMs} ms`));
  events.on('http.answered', (event) =>
    log[event.status >= 500 ? 'warn' : 'debug'](event, `${event.method} ${event.route} ${event.status}`),
  );
  events.on('notice', (event) => log[event.level](event.facts ?? {}, event.message));
}

/** What can be used, and whether jobs are taken. */
function logHealth(events: EventBus, log: Log): void {
  events.on('dependency.changed', (event) =>
    log[event.ready ? 'info' : 'warn'](
      factsOf(event),
      `the ${event.name} ${event.ready ? 'answers' : 'cannot be used'}`,
    ),
  );
  events.on('engine.pressure', (event) =>
    log[event.holdsAdds ? 'warn' : 'info'](
      event,
      event.holdsAdds
        ? 'the engine is short of memory: accepted jobs stay in the ledger until it has room'
        : 'the engine has room again',
    ),
  );
  events.on('intake.changed', (event) =>
    log[event.held ? 'warn' : 'info'](
      factsOf(event),
      event.held ? `no jobs are taken: ${event.reason}` : `jobs are taken again: ${event.reason} is well`,
    ),
  );
  events.on('worker.rebuilt', (event) =>
    log.warn(event, `no job of ${event.queue} came though jobs are due: its worker was made anew`),
  );
  events.on('engine.recovered', (event) =>
    log.warn(
      event,
      event.compared === undefined
        ? `${event.broughtBack} jobs that the engine did not have any more were given to it again`
        : `the engine may have lost jobs (${event.doubt}): ${event.broughtBack} of ${event.compared} were given to it again`,
    ),
  );
}
