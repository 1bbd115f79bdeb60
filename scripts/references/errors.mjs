// docs/errors.md: problem codes, failure codes and exit codes, from the tables that the code itself uses.
import { exitCodes, exitMeanings } from '../../cli/exit.ts';
import { Failure, failures, problems } from '../../shared/errors.ts';
import { verdictOf } from '../../workers/outcome.ts';
import { aligned } from './table.mjs';

const inCode = (text) => `\`${text}\``;

function problemTable() {
  const rows = Object.entries(problems).map(([code, [status, title]]) => [
    String(status),
    inCode(code),
    title,
  ]);
  return aligned([['Status', 'Code', 'Title'], ...rows]);
}

function headerTable() {
  return aligned([
    ['Header', 'When'],
    [
      '`X-Request-ID`',
      "every answer of the API: the caller's own, when it is short and plain, else a new one",
    ],
    [
      '`Retry-After`',
      '429 and 503 of anything but a probe, in seconds; also 1 with a job that has not ended, for whoever asks again',
    ],
    [
      '`Idempotent-Replayed`, `Idempotency-Replayed`',
      '`true`: the `Idempotency-Key` had been used, and this is the job that it made',
    ],
  ]);
}

/** What the worker decides about the first attempt of a job that has others left. */
function fateOf(code) {
  const retry = { attempts: 3, backoff: 'fixed', delayMs: 1 };
  if (code === 'cancelled') return 'is `cancelled`'; // by workers/host.ts, before any verdict
  const verdict = verdictOf(new Failure(code, 'why'), { retry, failures: 0, random: 0 });
  if (verdict.outcome === 'snoozed') return `waits ${time(verdict.retryInMs)}, keeps its attempt`;
  return verdict.retryInMs === null ? 'is `dead`' : 'is tried again, an attempt is used up';
}

function time(ms) {
  return ms < 60_000 ? `${ms / 1_000} s` : `${ms / 60_000} min`;
}

function failureTable() {
  const rows = Object.entries(failures).map(([code, meaning]) => [inCode(code), meaning, fateOf(code)]);
  return aligned([['Code', 'What it means', 'The job'], ...rows]);
}

function exitTable() {
  const rows = Object.entries(exitCodes).map(([name, code]) => [String(code), exitMeanings[name]]);
  return aligned([['Exit code', 'What it means'], ...rows]);
}

/** docs/errors.md. */
export function errorsPage() {
  return `# Errors

This page is written from \`shared/errors.ts\`, \`workers/outcome.ts\` and \`cli/exit.ts\` by \`scripts/references.mjs\`.

## Problems of the API

Every answer that is no success, but those of the probes \`/livez\` and \`/readyz\`, is a problem document
(RFC 9457, \`application/problem+json\`) with \`type\`, \`title\`, \`status\`, \`detail\`, \`instance\` (the request id), \`code\`, \`details\` and \`errors\`: for each thing that is wrong with the body a JSON Pointer,
one of these codes and a sentence. The dashboard uses the same codes.

${problemTable()}

## Headers

${headerTable()}

## Failures of jobs

Why an attempt did not succeed: the \`code\` of an attempt and of a job's \`error\`, and a label of the metrics. One more
stands in the \`error\` of a job alone: \`expired\`, of one that nobody could run in time and that has no attempt to tell of.

${failureTable()}

A wait is as long as the provider asks for, up to an hour, when it asks. While the gate of the provider is closed, \`unavailable\`
and \`timeout\` wait for it and keep the attempt; so does \`unknown_outcome\`, ten times a job, and \`unavailable\` when it was the ledger
that was away. A failure of these three codes that would be a job's last closes the gate itself, unless others have found the
provider back since the job last waited for it. A job whose attempts are used up is \`dead\`; one that would come back more than a
day after it was due is \`expired\` ([states](job-states.md)).

## Exit codes of the commands

${exitTable()}

For 6 see [versions](versions.md).
`;
}
