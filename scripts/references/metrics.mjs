// docs/metrics.md: every metric that shared/metrics.ts makes, with its labels and what these may be.
import { Registry } from 'prom-client';
import { finalStates } from '../../ledger/moves.ts';
import { gateNames, providerNames } from '../../shared/call.ts';
import { createEvents, holdReasons } from '../../shared/events.ts';
import { fillRegistry } from '../../shared/metrics.ts';
import { aligned } from './table.mjs';

const list = (names) => names.map((name) => `\`${name}\``).join(', ');

function allMetrics() {
  const registry = new Registry();
  fillRegistry(registry, createEvents(), { version: '' });
  return registry.getMetricsAsArray().toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function metricTable(metrics) {
  const rows = metrics.map(({ name, type, labelNames, help }) => [
    `\`${name}\``,
    type,
    labelNames.length === 0 ? '-' : list(labelNames),
    help,
  ]);
  return aligned([['Metric', 'Type', 'Labels', 'What it says'], ...rows]);
}

function labelTable() {
  return aligned([
    ['Label', 'Values'],
    ['`code`', 'a failure code ([errors](errors.md)), or empty'],
    ['`dependency`', list(['ledger', 'engine'])],
    ['`doubt`', `${list(['missing', 'foreign', 'older', 'restarted', 'none'])} ([recovery](recovery.md))`],
    ['`gate`', list(Object.values(gateNames).flat())],
    ['`outcome` of attempts', list(['succeeded', 'failed', 'snoozed', 'interrupted', 'cancelled'])],
    ['`outcome` of jobs', list(finalStates)],
    ['`outcome` of provider calls', '`ok`, or a failure code'],
    ['`provider`', `${list(providerNames)}; of a budget also \`*\`, all of them`],
    ['`reason` of a held intake', list(holdReasons)],
    ['`reason` of an alert', list(['auth', 'quota_exhausted'])],
    ['`result` of steps', list(['ran', 'remembered'])],
    ['`source`', list(['api', 'child'])],
    ['`state` of a breaker', list(['closed', 'open', 'half_open'])],
    ['`what`', list(['adds', 'takes'])],
  ]);
}

/** docs/metrics.md. */
export function metricsPage() {
  const metrics = allMetrics();
  const { upperBounds } = metrics.find(({ type }) => type === 'histogram');
  return `# Metrics

In the text format of Prometheus: \`GET /metrics\` of the API, with a key that has \`jobs:read\`, and of each work process, without
one, at \`STORYTIME_WORK_HOST\` (loopback; elsewhere an address that only your network reaches) and \`STORYTIME_WORK_PORT\`. Each process
tells what it has seen itself since its start, so a total is the sum over all.
What is alerted on (alerts, budgets, recoveries) begins at 0, so that \`increase()\` sees the first one; most others appear with their
first event.

In the ledger, but not counted here: attempts that nobody ended (\`lost\`, \`crashed\`), those in the quarantine lane, and jobs that
were enqueued in a transaction of yours.

This page is written from \`shared/metrics.ts\` by \`scripts/references.mjs\`.

${metricTable(metrics)}

Histograms count seconds up to ${upperBounds.join(', ')}.

${labelTable()}
`;
}
