// Errors as RFC 9457 problem documents: one shape for everything that is not a success, written in one place.
// No stack, no SQL, nothing of a cause we do not know: an unknown error is `internal` outside and a notice inside.
import { problems, Problem, toError } from '../shared/errors.ts';
import { sanitiseText } from '../shared/text.ts';
import { ledgerProblem } from '../ledger/ledger-errors.ts';
import { send, type Exchange } from './exchange.ts';

const problemTypes = 'https://storytime.example/problems/';

/** The other side went away before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Any error as a Problem. Express marks what it could not read (a bad %-escape) with a status of its own. */
function toProblem(thrown: unknown): Problem {
  const error = ledgerProblem(thrown);
  if (error instanceof Problem) return error;
  if ('status' in error && error.status === 400)
    return new Problem(
      'invalid_request',
      'the request failed: its address cannot be read; check its escapes',
    );
  return new Problem('internal', 'the request failed: something broke on our side; tell us the request id', {
    cause: thrown,
  });
}

/** The document, as JSON. */
export function problemBody(problem: Problem, requestId: string): string {
  const [status, title] = problems[problem.code];
  return JSON.stringify({
    type: problemTypes + problem.code,
    title,
    status,
    detail: sanitiseText(problem.message, 1_000),
    instance: requestId,
    code: problem.code,
    details: problem.details,
    errors: problem.errors,
  });
}

export const problemHeaders = [
  'Content-Type',
  'application/problem+json; charset=utf-8',
  'Cache-Control',
  'no-store',
] as const;

/** Answers with the problem that `thrown` is; `extra` are more headers. */
export function sendProblem(exchange: Exchange, thrown: unknown, extra: readonly string[] = []): void {
  if (thrown instanceof ClientGone) return;
  const problem = toProblem(thrown);
  if (problem.code === 'internal') report(exchange, thrown);
  const headers = [...problemHeaders, ...extra];
  if (problem.status === 401) headers.push('WWW-Authenticate', challenge(problem));
  if (problem.retryAfterSeconds !== undefined) headers.push('Retry-After', String(problem.retryAfterSeconds));
  const body = problemBody(problem, exchange.requestId);
  send(exchange, { status: problem.status, headers, body, code: problem.code });
}

function challenge(problem: Problem): string {
  const realm = 'Bearer realm="storytime"';
  return problem.code === 'unauthenticated' ? realm : `${realm}, error="invalid_token"`;
}

function report(exchange: Exchange, thrown: unknown): void {
  const { route, requestId } = exchange;
  const error = toError(thrown);
  const facts = { route, requestId, error: sanitiseText(error.message, 500), stack: error.stack };
  exchange.emit('notice', { level: 'error', message: 'a request failed unexpectedly', facts });
}
