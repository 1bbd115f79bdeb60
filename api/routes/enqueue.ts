// Enqueue over HTTP: the hot path. A 202 means that the row is committed; the engine is never asked. Only what must be
// known is worked out: no hash without an Idempotency-Key, no second look at the body, an answer built by hand.
import { checkJob } from '../../queues/check.ts';
import type { RegisteredKind, Registry } from '../../queues/registry.ts';
import { canonicalJson, sha256 } from '../../shared/text.ts';
import type { Enqueued } from '../../ledger/enqueue-batch.ts';
import { acceptedAtMs, type KeyName } from '../../ledger/idempotency.ts';
import { newJob } from '../../ledger/insert.ts';
import { hasScope, type Caller } from '../../ledger/keys.ts';
import { isFinal } from '../../ledger/moves.ts';
import { requireScope } from '../auth.ts';
import { readJson } from '../body.ts';
import type { ApiDeps, Route } from '../deps.ts';
import { send, type Exchange } from '../exchange.ts';
import { readIdempotencyKey } from '../idempotency.ts';

/** The name under which a key of this route is remembered. */
const endpoint = 'POST /v1/jobs';

export function enqueueRoute(deps: ApiDeps): Route {
  return {
    method: 'POST',
    path: '/v1/jobs',
    query: [],
    run: (exchange, caller) => enqueue(deps, exchange, caller),
  };
}

async function enqueue(deps: ApiDeps, exchange: Exchange, caller: Caller): Promise<void> {
  const value = readIdempotencyKey(exchange.req.headers['idempotency-key']);
  const body = await readJson(exchange);
  const kind = checkScope(deps.registry, caller, body);
  const { tenant, keyId: apiKeyId } = caller;
  const { requestId } = exchange;
  const named = value === undefined ? undefined : { tenant, endpoint, value };
  const job = newJob(checkJob(deps.registry, body, await timeFor(deps, body, named)), {
    tenant,
    source: 'api',
    apiKeyId,
    requestId,
  });
  const key =
    value === undefined ? undefined : { endpoint: endpoint, value, bodyHash: sha256(canonicalJson(body)) };
  if (kind?.definition.paid === true) await deps.checkSpending?.(tenant, key);
  if (exchange.res.headersSent) return; // as in api/app.ts: what was told failed is not begun any more
  accepted(exchange, await deps.enqueue({ job, key }));
}

/**
 * The time by which a job's own is judged. A clock of ours that is wrong must not refuse a point of time that is right, and one
 * that was right when the request was accepted must not become wrong with its repetition: only then is the ledger asked.
 */
async function timeFor({ db, now }: ApiDeps, body: unknown, key: KeyName | undefined): Promise<number> {
  if (!namesATime(body)) return Date.now();
  const acceptedAt = key === undefined ? undefined : await acceptedAtMs(db, key);
  return acceptedAt ?? (await now?.()) ?? Date.now();
}

function namesATime(body: unknown): boolean {
  const options = typeof body === 'object' && body !== null && 'options' in body ? body.options : undefined;
  return typeof options === 'object' && options !== null && 'runAt' in options;
}

/** Before the payload is judged, so that a caller without the right learns nothing about its schema. */
function checkScope(registry: Registry, caller: Caller, body: unknown): RegisteredKind | undefined {
  const name = typeof body === 'object' && body !== null && 'kind' in body ? body.kind : undefined;
  const kind = typeof name === 'string' ? registry.find(name) : undefined;
  if (kind !== undefined) requireScope(caller, `enqueue:${kind.queue}`);
  else if (!registry.queues.some((queue) => hasScope(caller, `enqueue:${queue.name}`)))
    requireScope(caller, 'enqueue:<queue>');
  return kind;
}

/** Kind, queue and state are names of our own, so the body needs no escaping. */
function accepted(exchange: Exchange, job: Enqueued): void {
  const { id, kind, queue, state, createdAt, repeated } = job;
  const headers = [
    'Content-Type',
    'application/json; charset=utf-8',
    'Cache-Control',
    'no-store',
    'Location',
    `/v1/jobs/${id}`,
  ];
  if (!repeated || !isFinal(state)) headers.push('Retry-After', '1');
  // Two spellings are in use among APIs; a caller may look for either.
  if (repeated) headers.push('Idempotent-Replayed', 'true', 'Idempotency-Replayed', 'true');
  const body = `{"id":"${id}","kind":"${kind}","queue":"${queue}","state":"${state}","createdAt":"${createdAt.toISOString()}","repeated":${repeated}}`;
  send(exchange, { status: 202, headers, body });
}
