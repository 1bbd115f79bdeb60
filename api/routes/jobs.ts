// One job over HTTP: what became of it, and cancel. A job of another tenant is not there.
import { Problem } from '../../shared/errors.ts';
import { isId } from '../../shared/ids.ts';
import { quoted, sha256 } from '../../shared/text.ts';
import { cancelJob } from '../../ledger/cancel.ts';
import type { Caller } from '../../ledger/keys.ts';
import { isFinal } from '../../ledger/moves.ts';
import { readJob, type Include } from '../../ledger/queries-jobs.ts';
import { readNothing } from '../body.ts';
import type { ApiDeps, Route } from '../deps.ts';
import { send, sendJson, type Exchange } from '../exchange.ts';
import { jobBody } from '../job-body.ts';

export function jobRoutes(deps: ApiDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/jobs/:id',
      query: ['include'],
      scope: 'jobs:read',
      run: (exchange, caller) => show(deps, exchange, caller),
    },
    {
      method: 'POST',
      path: '/v1/jobs/:id/cancel',
      query: [],
      scope: 'jobs:operate',
      run: (exchange, caller) => cancel(deps, exchange, caller),
    },
  ];
}

async function show(deps: ApiDeps, exchange: Exchange, caller: Caller): Promise<void> {
  const include = readInclude(exchange.query.get('include'));
  const job = await readJob(deps.db, { id: jobId(exchange), tenant: caller.tenant }, include);
  if (job === undefined)
    throw new Problem('job_not_found', 'the request failed: there is no such job; check the id');
  const body = JSON.stringify(jobBody(deps.registry, job));
  const etag = `W/"${sha256(body).toString('base64url').slice(0, 22)}"`;
  const headers = ['ETag', etag, 'Cache-Control', 'private, no-cache'];
  if (!isFinal(job.state)) headers.push('Retry-After', '1');
  const known = new Set((exchange.req.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim()));
  if (known.has(etag) || known.has('*')) return send(exchange, { status: 304, headers });
  send(exchange, {
    status: 200,
    headers: ['Content-Type', 'application/json; charset=utf-8', ...headers],
    body,
  });
}

/** The children are in every answer; who asks for them by name gets them all the same. */
const includable: ReadonlySet<string> = new Set(['attempts', 'children', 'steps']);

function readInclude(text: string | undefined): Include {
  const parts = text === undefined ? [] : text.split(',');
  const strange = parts.find((part) => !includable.has(part));
  if (strange !== undefined) {
    const why = `${quoted(strange)} cannot be included; known are ${[...includable].join(', ')}`;
    throw new Problem('invalid_parameter', `the request failed: ${why}`);
  }
  return { attempts: parts.includes('attempts'), steps: parts.includes('steps') };
}

async function cancel(deps: ApiDeps, exchange: Exchange, caller: Caller): Promise<void> {
  const id = jobId(exchange);
  await readNothing(exchange);
  const { state, asked, removed } = await cancelJob(deps.db, { id, tenant: caller.tenant });
  for (const row of removed)
    deps.emit('job.finished', { jobId: row.id, queue: row.ownQueue, kind: row.kind, state: 'cancelled' });
  if (removed.length > 0) deps.onCancelled?.(removed);
  sendJson(exchange, asked ? 202 : 200, { id, state, cancelRequested: true });
}

function jobId(exchange: Exchange): string {
  const id = exchange.params['id'] ?? '';
  if (!isId(id))
    throw new Problem('invalid_id', `the request failed: ${quoted(id)} is not a job id; ids are UUIDs`);
  return id;
}
