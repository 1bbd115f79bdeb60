// How the dashboard answers what is not a page of its own: a problem (RFC 9457) to a program, a short page to a person.
import type { ErrorRequestHandler, Request, Response } from 'express';
import { Problem, problems, toError, type ProblemCode } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { newId } from '../shared/ids.ts';
import { isLedgerDown, ledgerProblem } from '../ledger/ledger-errors.ts';
import { render } from './views.ts';

/** Whether a person's browser asks for a page, rather than a script for data. */
export function wantsPage(request: Request): boolean {
  return !request.path.startsWith('/board/api/') && (request.headers.accept ?? '').includes('text/html');
}

export function sendPage(response: Response, status: number, html: string): void {
  response.status(status).type('html').send(html);
}

/** Answers with the problem, in the form the caller can read. */
export function sendProblem(
  request: Request,
  response: Response,
  problem: Problem,
  instance: string = newId(),
): void {
  const { code, message, status } = problem;
  if (problem.retryAfterSeconds !== undefined) response.setHeader('Retry-After', problem.retryAfterSeconds);
  if (wantsPage(request)) {
    const refresh = status === 503 ? 5 : undefined;
    sendPage(response, status, render('notice', { title: problems[code][1], message, refresh }));
    return;
  }
  response.setHeader('X-Request-ID', instance);
  const body = {
    type: `https://storytime.example/problems/${code}`,
    title: problems[code][1],
    status,
    detail: message,
    instance,
    code,
    details: problem.details,
    errors: problem.errors,
  };
  response.status(status).type('application/problem+json').send(JSON.stringify(body));
}

export function problemOf(code: ProblemCode, message: string): Problem {
  return new Problem(code, message);
}

/** What an operator is told; the ledger's own words are for who enqueues. */
const silent = new Problem(
  'ledger_unavailable',
  'the ledger does not answer; no accepted job is lost, and a page asks again by itself. docs/on-call.md says what to do',
  { retryAfterSeconds: 5 },
);

/** The last stop of every error. An error of ours that is unforeseen is logged; the answer names no inner detail. */
export function errorHandler(emit: Emit): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const error = isLedgerDown(thrown) ? silent : ledgerProblem(thrown);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const requestId = newId();
    const problem = error instanceof Problem ? error : asProblem(error, emit, requestId);
    sendProblem(request, response, problem, requestId);
  };
}

function asProblem(error: Error, emit: Emit, requestId: string): Problem {
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500;
  if (status === 413) return problemOf('payload_too_large', 'the form is larger than any of ours');
  if (status >= 400 && status < 500) return problemOf('invalid_request', 'the request cannot be read');
  const message = `the dashboard failed: ${toError(error).message}`;
  emit('notice', { level: 'error', message, facts: { requestId } });
  return problemOf('internal', 'the page failed: a fault of ours; the log has the reason');
}
