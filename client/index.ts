// The typed client of the API: plain fetch, no dependencies. Every enqueue carries an Idempotency-Key, so sending it again
// after a lost answer cannot make a second job; that is why network errors, 429 and 503 are retried by themselves.
import type { JobResults, Payloads } from '../queues/index.ts';
import { JobDead, JobTimeout, ProblemError } from './errors.ts';
import { connectProviders, type ProvidersClient } from './providers.ts';
import { request, type Connection } from './request.ts';
import type { CancelledJob, EnqueuedJob, EnqueueOptions, JobStatus, WaitOptions } from './types.ts';
import { ended } from './wait.ts';

/** kind -> payload and kind -> result; the product's own unless told otherwise. */
export interface JobTypes {
  payloads: object;
  results: object;
}

type Ours = { payloads: Payloads; results: JobResults };
type ResultOf<Jobs extends JobTypes, Kind> = Kind extends keyof Jobs['results']
  ? Jobs['results'][Kind]
  : unknown;

export interface Client<Jobs extends JobTypes = Ours> {
  enqueue: <Kind extends keyof Jobs['payloads'] & string>(
    kind: Kind,
    payload: Jobs['payloads'][Kind],
    options?: EnqueueOptions,
  ) => Promise<EnqueuedJob<Kind>>;
  get: (
    id: string,
    options?: { include?: readonly ('attempts' | 'steps')[]; signal?: AbortSignal },
  ) => Promise<JobStatus>;
  /** The job's result. Throws JobDead when it ended without one, JobTimeout when it took too long. */
  wait: <Kind = unknown>(
    job: string | { id: string; kind: Kind },
    options?: WaitOptions,
  ) => Promise<ResultOf<Jobs, Kind>>;
  /**
   * Ends a job and all that is open below it; what runs is told within seconds. May be sent twice. For a key with the scope
   * `jobs:operate`.
   */
  cancel: (id: string, options?: { signal?: AbortSignal }) => Promise<CancelledJob>;
  /** For operators. */
  providers: ProvidersClient;
}

/**
 * `url` of the API and a key (`stj_...`); `timeoutMs` is the limit of one request, default 10 s. What cannot be sent (a key that
 * is no header, a payload that is no JSON) is a TypeError at once, and so is an answer that asks for more than 10 s of patience
 * (a budget that is used up) a ProblemError.
 */
export function connect<Jobs extends JobTypes = Ours>(connection: Connection): Client<Jobs> {
  const get: Client<Jobs>['get'] = (id, { include = [], signal } = {}) => {
    const query = include.length === 0 ? '' : `?include=${include.join(',')}`;
    return request<JobStatus>(connection, { path: `/v1/jobs/${encodeURIComponent(id)}${query}`, signal });
  };
  return {
    enqueue(kind, payload, { key = crypto.randomUUID(), signal, ...options } = {}) {
      const body = { kind, payload, ...(Object.keys(options).length === 0 ? {} : { options }) };
      const quoted = `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
      return request(connection, { path: '/v1/jobs', body, signal, headers: { 'idempotency-key': quoted } });
    },
    get,
    async wait(job, options = {}) {
      const id = typeof job === 'string' ? job : job.id;
      const look = (signal: AbortSignal) => get(id, { signal });
      return (await ended(look, id, options)) as never;
    },
    cancel: (id, { signal } = {}) =>
      request(connection, { path: `/v1/jobs/${encodeURIComponent(id)}/cancel`, body: {}, signal }),
    providers: connectProviders(connection),
  };
}

export { JobDead, JobTimeout, ProblemError };
export type {
  AttemptStatus,
  CancelledJob,
  EnqueuedJob,
  EnqueueOptions,
  GateStatus,
  JobStatus,
  ProviderStatus,
  WaitOptions,
} from './types.ts';
