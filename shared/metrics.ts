// The metrics: prom-client behind one function. Labels come from closed sets only, never from a job id, tenant or text.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EventBus } from './events.ts';

export interface Metrics {
  /** The Prometheus text format. */
  text: () => Promise<string>;
  contentType: string;
}

const seconds = [0.005, 0.05, 0.25, 1, 5, 15, 60, 300, 600];

export function createMetrics(events: EventBus, build: { version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name, help, labelNames, buckets: seconds, registers });

  const enqueued = counter('storytime_jobs_enqueued_total', 'Jobs accepted.', ['queue', 'kind', 'source']);
  const finished = counter('storytime_jobs_finished_total', 'Jobs that reached a final state.', [
    'queue',
    'kind',
    'outcome',
  ]);
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
  const endToEnd = histogram('storytime_job_end_to_end_seconds', 'From enqueue to the final state.', [
    'queue',
    'kind',
  ]);
  const steps = counter('storytime_steps_total', 'Steps by whether they ran or were remembered.', [
    'kind',
    'result',
  ]);
  const calls = counter('storytime_provider_requests_total', 'Provider calls.', [
    'provider',
    'operation',
    'outcome',
  ]);
  const callTime = histogram('storytime_provider_request_duration_seconds', 'Provider calls.', [
    'provider',
    'operation',
  ]);
  const spend = counter('storytime_provider_cost_usd_total', 'Estimated spend.', ['provider', 'model']);
  const breaker = new Gauge({
    name: 'storytime_provider_breaker',
    help: '1 for the state it is in.',
    labelNames: ['provider', 'state'],
    registers,
  });
  const requests = histogram('storytime_http_request_duration_seconds', 'API requests.', [
    'method',
    'route',
    'status',
  ]);
  new Gauge({
    name: 'storytime_build_info',
    help: 'Version that runs.',
    labelNames: ['version', 'node'],
    registers,
  })
    .labels(build.version, process.version)
    .set(1);

  events.on('job.enqueued', (e) => enqueued.labels(e.queue, e.kind, e.source).inc(e.count));
  events.on('job.finished', (e) => {
    finished.labels(e.queue, e.kind, e.state).inc();
    if (e.endToEndMs !== undefined) endToEnd.labels(e.queue, e.kind).observe(e.endToEndMs / 1_000);
  });
  events.on('attempt.ended', (e) => {
    attempts.labels(e.queue, e.kind, e.outcome, e.code ?? '').inc();
    duration.labels(e.queue, e.kind, e.outcome).observe(e.durationMs / 1_000);
    if (e.waitMs !== undefined) wait.labels(e.queue, e.kind).observe(e.waitMs / 1_000);
  });
  events.on('step.ended', (e) => steps.labels(e.kind, e.result).inc());
  events.on('provider.called', (e) => {
    calls.labels(e.provider, e.operation, e.outcome).inc();
    callTime.labels(e.provider, e.operation).observe(e.durationMs / 1_000);
  });
  events.on('charge.recorded', (e) => spend.labels(e.provider, e.model).inc(e.microUsd / 1_000_000));
  events.on('provider.breaker', (e) => {
    for (const state of ['closed', 'open', 'half_open'])
      breaker.labels(e.provider, state).set(state === e.state ? 1 : 0);
  });
  events.on('http.answered', (e) =>
    requests.labels(e.method, e.route, String(e.status)).observe(e.durationMs / 1_000),
  );
  return { text: () => registry.metrics(), contentType: registry.contentType };
}
