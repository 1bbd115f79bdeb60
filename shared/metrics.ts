// The metrics: prom-client behind one function. Labels come from closed sets only, never from a job id, tenant or text.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { providerNames } from './call.ts';
import { doubts, holdReasons, type EventBus } from './events.ts';

export interface Metrics {
  /** The Prometheus text format. */
  text: () => Promise<string>;
  contentType: string;
}

/** Seconds: from a fast query to the longest narration. */
const buckets = [0.005, 0.05, 0.25, 1, 5, 15, 60, 300, 600];

interface Made {
  counter: (name: string, help: string, labelNames: string[]) => Counter;
  gauge: (name: string, help: string, labelNames: string[]) => Gauge;
  histogram: (name: string, help: string, labelNames: string[]) => Histogram;
}

export function createMetrics(events: EventBus, build: { version: string }): Metrics {
  const registry = new Registry();
  fillRegistry(registry, events, build);
  return { text: () => registry.metrics(), contentType: registry.contentType };
}

/** Makes every metric there is; docs/metrics.md is written from what is then in the registry. */
export function fillRegistry(registry: Registry, events: EventBus, build: { version: string }): void {
  const registers = [registry];
  const made: Made = {
    counter: (name, help, labelNames) => new Counter({ name, help, labelNames, registers }),
    gauge: (name, help, labelNames) => new Gauge({ name, help, labelNames, registers }),
    histogram: (name, help, labelNames) => new Histogram({ name, help, labelNames, buckets, registers }),
  };
  countJobs(events, made);
  countAttempts(events, made);
  countProviders(events, made);
  showGates(events, made);
  countRecoveries(events, made);
  showHealth(events, made);
  const requests = made.histogram('storytime_http_request_duration_seconds', 'API requests.', [
    'method',
    'route',
    'status',
  ]);
  events.on('http.answered', (e) =>
    requests.labels(e.method, e.route, String(e.status)).observe(e.durationMs / 1_000),
  );
  made
    .gauge('storytime_build_info', 'The version that runs.', ['version', 'node'])
    .labels(build.version, process.version)
    .set(1);
}

/** Labels come from closed sets, so each combination is looked up once, not at every short job. */
function remembered<Series>(look: (queue: string, kind: string, third: string, fourth: string) => Series) {
  const known = new Map<string, Series>();
  return (queue: string, kind: string, third = '', fourth = ''): Series => {
    const key = `${queue}|${kind}|${third}|${fourth}`;
    const series = known.get(key) ?? look(queue, kind, third, fourth);
    known.set(key, series);
    return series;
  };
}

function countJobs(events: EventBus, { counter, histogram }: Made): void {
  const enqueued = counter('storytime_jobs_enqueued_total', 'Jobs accepted.', ['queue', 'kind', 'source']);
  const finished = counter('storytime_jobs_finished_total', 'Jobs that reached a final state.', [
    'queue',
    'kind',
    'outcome',
  ]);
  const endToEnd = histogram('storytime_job_end_to_end_seconds', 'From enqueue to the final state.', [
    'queue',
    'kind',
  ]);
  events.on('job.enqueued', (e) => enqueued.labels(e.queue, e.kind, e.source).inc(e.count));
  const finishedOf = remembered((queue, kind, state) => finished.labels(queue, kind, state));
  const endToEndOf = remembered((queue, kind) => endToEnd.labels(queue, kind));
  events.on('job.finished', (e) => {
    finishedOf(e.queue, e.kind, e.state).inc();
    if (e.endToEndMs !== undefined) endToEndOf(e.queue, e.kind).observe(e.endToEndMs / 1_000);
  });
}

function countAttempts(events: EventBus, { counter, histogram }: Made): void {
  const attempts = counter('storytime_attempts_total', 'Attempts that ended.', [
    'queue',
    'kind',
    'outcome',
    'code',
  ]);
  const duration = histogram('storytime_attempt_duration_seconds', 'Run time of an attempt.', [
    'queue',
    'kind',
    'outcome',
  ]);
  const wait = histogram('storytime_job_wait_seconds', 'From due to the first start.', ['queue', 'kind']);
  const steps = counter('storytime_steps_total', 'Steps, by whether they ran or were remembered.', [
    'kind',
    'result',
  ]);
  const attemptOf = remembered((queue, kind, outcome, code) => attempts.labels(queue, kind, outcome, code));
  const durationOf = remembered((queue, kind, outcome) => duration.labels(queue, kind, outcome));
  const waitOf = remembered((queue, kind) => wait.labels(queue, kind));
  events.on('attempt.ended', (e) => {
    attemptOf(e.queue, e.kind, e.outcome, e.code ?? '').inc();
    durationOf(e.queue, e.kind, e.outcome).observe(e.durationMs / 1_000);
    if (e.waitMs !== undefined) waitOf(e.queue, e.kind).observe(e.waitMs / 1_000);
  });
  events.on('step.ended', (e) => steps.labels(e.kind, e.result).inc());
}

function countRecoveries(events: EventBus, { counter }: Made): void {
  const recoveries = counter('storytime_engine_recoveries_total', 'Times the engine had lost something.', [
    'doubt',
  ]);
  const jobs = counter('storytime_engine_recovered_jobs_total', 'Jobs given to the engine again.', ['doubt']);
  for (const doubt of doubts) for (const one of [recoveries, jobs]) one.labels(doubt).inc(0);
  events.on('engine.recovered', (e) => {
    recoveries.labels(e.doubt).inc();
    jobs.labels(e.doubt).inc(e.broughtBack);
  });
}

function countProviders(events: EventBus, { counter, histogram }: Made): void {
  const calls = counter('storytime_provider_requests_total', 'Provider calls.', [
    'provider',
    'operation',
    'outcome',
  ]);
  const time = histogram('storytime_provider_request_duration_seconds', 'Provider calls.', [
    'provider',
    'operation',
  ]);
  const spend = counter('storytime_provider_cost_usd_total', 'Estimated spend.', ['provider', 'model']);
  const usedUp = counter('storytime_budgets_exhausted_total', 'Budgets of a day that were used up.', [
    'provider',
  ]);
  for (const provider of [...providerNames, '*']) usedUp.labels(provider).inc(0);
  events.on('budget.exhausted', (e) => usedUp.labels(e.provider).inc());
  events.on('provider.called', (e) => {
    calls.labels(e.provider, e.operation, e.outcome).inc();
    time.labels(e.provider, e.operation).observe(e.durationMs / 1_000);
  });
  events.on('charge.recorded', (e) => spend.labels(e.provider, e.model).inc(e.microUsd / 1_000_000));
}

function showGates(events: EventBus, { counter, gauge }: Made): void {
  const breaker = gauge('storytime_provider_breaker', '1 for the state it is in.', [
    'provider',
    'gate',
    'state',
  ]);
  const gate = gauge(
    'storytime_provider_gate_closed',
    '1 while nobody may pass it, as this process saw last.',
    ['provider', 'gate'],
  );
  const alerts = counter('storytime_provider_alerts_total', 'Refused keys and used-up quotas.', [
    'provider',
    'reason',
  ]);
  for (const provider of providerNames)
    for (const reason of ['auth', 'quota_exhausted']) alerts.labels(provider, reason).inc(0);
  events.on('provider.gate', (e) => gate.labels(e.provider, e.gate).set(e.state === 'closed' ? 1 : 0));
  events.on('provider.alert', (e) => alerts.labels(e.provider, e.reason).inc());
  events.on('provider.breaker', (e) => {
    for (const state of ['closed', 'open', 'half_open'])
      breaker.labels(e.provider, e.gate, state).set(state === e.state ? 1 : 0);
  });
}

function showHealth(events: EventBus, { counter, gauge }: Made): void {
  const up = gauge('storytime_dependency_up', '1 when it answers.', ['dependency']);
  const held = gauge('storytime_intake_held', '1 while no jobs are taken for this reason.', ['reason']);
  for (const reason of holdReasons) held.labels(reason).set(0);
  const skew = gauge('storytime_clock_skew_seconds', "This machine's clock minus the database's.", []);
  const lag = gauge('storytime_event_loop_lag_seconds', 'How late the event loop was at the last look.', []);
  const rebuilds = counter('storytime_worker_rebuilds_total', 'Workers of the engine that went quiet.', [
    'queue',
  ]);
  events.on('clock.compared', (e) => skew.set(e.aheadMs / 1_000));
  events.on('loop.turned', (e) => lag.set(e.lagMs / 1_000));
  events.on('worker.rebuilt', (e) => rebuilds.labels(e.queue).inc());
  const full = gauge('storytime_engine_held', '1 while the engine is too full for this.', ['what']);
  events.on('engine.pressure', (e) => {
    full.labels('adds').set(e.holdsAdds ? 1 : 0);
    full.labels('takes').set(e.holdsTakes ? 1 : 0);
  });
  events.on('dependency.changed', (e) => up.labels(e.name).set(e.ready ? 1 : 0));
  events.on('intake.changed', (e) => held.labels(e.reason).set(e.held ? 1 : 0));
}
