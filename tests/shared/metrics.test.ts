import { expect, test } from '@jest/globals';
import { createEvents } from '../../shared/events.ts';
import { createMetrics } from '../../shared/metrics.ts';

const facts = { jobId: 'secret-job-id', queue: 'email', kind: 'send-email' };

function attempt(more: object = {}) {
  return {
    ...facts,
    tenant: 'secret-tenant',
    attempt: 1,
    generation: 1,
    outcome: 'failed' as const,
    state: 'retrying',
    durationMs: 250,
    waitMs: 1_500,
    code: 'timeout' as const,
    message: 'secret-message',
    workerId: 'secret-worker',
    recorded: true,
    ...more,
  };
}

test('what happens is counted under labels of closed sets, without a job, a tenant or a text', async () => {
  const events = createEvents();
  const metrics = createMetrics(events, { version: '1.2.3' });
  events.emit('job.enqueued', { queue: 'email', kind: 'send-email', source: 'api', count: 3 });
  events.emit('attempt.ended', attempt());
  events.emit('attempt.ended', attempt({ outcome: 'succeeded', code: undefined }));
  events.emit('job.finished', { ...facts, state: 'succeeded', endToEndMs: 2_000 });
  events.emit('step.ended', { ...facts, step: 'secret-step', result: 'ran', durationMs: 1 });
  events.emit('charge.recorded', { provider: 'gemini', model: 'm', microUsd: 2_500_000 });
  events.emit('provider.called', { provider: 'gemini', operation: 'write', outcome: 'ok', durationMs: 5 });
  events.emit('http.answered', {
    method: 'POST',
    route: '/v1/jobs',
    status: 202,
    durationMs: 4,
    requestId: 'secret-request',
  });
  const text = await metrics.text();
  for (const line of [
    'storytime_jobs_enqueued_total{queue="email",kind="send-email",source="api"} 3',
    'storytime_attempts_total{queue="email",kind="send-email",outcome="failed",code="timeout"} 1',
    'storytime_attempts_total{queue="email",kind="send-email",outcome="succeeded",code=""} 1',
    'storytime_jobs_finished_total{queue="email",kind="send-email",outcome="succeeded"} 1',
    'storytime_job_end_to_end_seconds_sum{queue="email",kind="send-email"} 2',
    'storytime_provider_cost_usd_total{provider="gemini",model="m"} 2.5',
    'storytime_http_request_duration_seconds_count{method="POST",route="/v1/jobs",status="202"} 1',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).not.toContain('secret');
});

test('of each gate it is told whether it is closed, and whose it is', async () => {
  const events = createEvents();
  const metrics = createMetrics(events, { version: '1' });
  const gemini = (gate: string, state: 'closed' | 'open'): void =>
    events.emit('provider.gate', { provider: 'gemini', gate, state, reason: 'unavailable' });
  gemini('gemini-text', 'closed');
  gemini('gemini-pictures', 'closed');
  gemini('gemini-text', 'open');
  const text = await metrics.text();
  expect(text).toContain('gate_closed{provider="gemini",gate="gemini-text"} 0\n');
  expect(text).toContain('gate_closed{provider="gemini",gate="gemini-pictures"} 1\n');
});

test('what is alerted on begins at 0, or the first one would be seen by no `increase()`', async () => {
  const events = createEvents();
  const metrics = createMetrics(events, { version: '1' });
  const lines = [
    'storytime_provider_alerts_total{provider="gemini",reason="auth"}',
    'storytime_budgets_exhausted_total{provider="*"}',
    'storytime_engine_recoveries_total{doubt="missing"}',
  ];
  for (const line of lines) expect(await metrics.text()).toContain(`${line} 0\n`);
  events.emit('provider.alert', { provider: 'gemini', gate: 'gemini-text', reason: 'auth' });
  expect(await metrics.text()).toContain(`${lines[0]} 1\n`);
});

test('a breaker is in one state at a time, and two sets of metrics share nothing', async () => {
  const events = createEvents();
  const metrics = createMetrics(events, { version: '1' });
  const other = createMetrics(createEvents(), { version: '1' });
  for (const state of ['open', 'half_open', 'closed'] as const)
    events.emit('provider.breaker', { provider: 'smtp', gate: 'smtp', state });
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('storytime_provider_breaker{'));
  expect(lines.toSorted((a, b) => a.localeCompare(b))).toEqual([
    'storytime_provider_breaker{provider="smtp",gate="smtp",state="closed"} 1',
    'storytime_provider_breaker{provider="smtp",gate="smtp",state="half_open"} 0',
    'storytime_provider_breaker{provider="smtp",gate="smtp",state="open"} 0',
  ]);
  expect(await other.text()).not.toContain('gate="smtp"');
});
