// OpenAPI 3.1 from the registry: each kind is one branch of the enqueue request, each problem code one value of an enum.
import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import { optionsSchema } from '../queues/check.ts';
import type { Registry } from '../queues/registry.ts';
import { problems } from '../shared/errors.ts';
import { providerPaths } from './openapi-providers.ts';
import { finalStates, openStates } from '../ledger/moves.ts';
import { mostCounted } from '../ledger/queries-queues.ts';

const moment = z.iso.datetime();
const nullable = <Schema extends z.ZodType>(schema: Schema) => schema.nullable();
const state = z.enum([...openStates, ...finalStates]).meta({ id: 'JobState' });

const problem = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'The request id.' }),
    code: z.enum(Object.keys(problems)),
    details: z.record(z.string(), z.unknown()),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

const enqueued = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    queue: z.string(),
    state,
    createdAt: moment,
    repeated: z.boolean().meta({ description: 'The Idempotency-Key had been used: this is the first job.' }),
  })
  .meta({ id: 'Enqueued' });

const attempt = z.object({
  attempt: z.int(),
  generation: z.int(),
  outcome: z.string(),
  code: nullable(z.string()),
  message: nullable(z.string()),
  workerId: nullable(z.uuid()),
  startedAt: moment,
  endedAt: nullable(moment),
});
const step = z.object({ name: z.string(), attempt: z.int(), durationMs: z.int(), microUsd: z.number() });

const job = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    queue: z.string(),
    state,
    final: z.boolean(),
    priority: z.enum(['high', 'normal', 'low']),
    createdAt: moment,
    runAt: moment,
    startedAt: nullable(moment),
    finishedAt: nullable(moment),
    cancelRequestedAt: nullable(moment),
    progress: z.object({ percent: z.int(), message: nullable(z.string()) }),
    result: z.unknown(),
    error: nullable(z.object({ code: z.string(), message: z.string() })),
    parkedReason: nullable(z.string()),
    attempt: z.object({ number: z.int(), failures: z.int(), of: z.int() }),
    children: z.array(z.object({ id: z.uuid(), kind: z.string(), state })),
    tree: z.object({ total: z.int(), open: z.int(), dead: z.int(), unsuccessful: z.int() }),
    parentId: nullable(z.uuid()),
    rootId: nullable(z.uuid()),
    requestId: nullable(z.string()),
    attempts: z.array(attempt).optional(),
    steps: z.array(step).optional(),
  })
  .meta({ id: 'Job' });

const counts = Object.fromEntries(openStates.map((name) => [name, z.int()]));
const queue = z
  .object({
    queue: z.string(),
    ...counts,
    deadLastDay: z.int(),
    oldestWaitingSeconds: z.number(),
    atLeast: z.array(z.enum([...openStates, 'deadLastDay'])).meta({
      description:
        'Names of the counts above that were cut off: there are so many or more. ' +
        `At most ${mostCounted} jobs of a state are counted, and of the dead so many of all queues, the newest.`,
    }),
  })
  .meta({ id: 'Queue' });

const options = optionsSchema.meta({
  id: 'EnqueueOptions',
  description: 'delayMs and runAt exclude each other.',
});

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const answer = (description: string, schema: z.ZodType) => ({ description, content: json(schema) });
const refused = { description: 'A problem.', content: { 'application/problem+json': { schema: problem } } };
const id = { path: z.object({ id: z.uuid() }) };
const bearer = [{ bearer: [] }];

/** The document; `publicUrl` is the address of the API as users see it. */
export function openapiDocument(registry: Registry, publicUrl?: string): object {
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Storytime Jobs', version: '1', description: 'Enqueue background jobs and follow them.' },
    ...(publicUrl === undefined ? {} : { servers: [{ url: publicUrl }] }),
    security: bearer,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A key: stj_...' } },
    },
    paths: { ...jobPaths(registry), ...providerPaths(refused), ...otherPaths },
  });
}

function requestSchema(registry: Registry): z.ZodType {
  const branches = [...registry.kinds.values()].map(({ kind, definition }) =>
    z
      .object({ kind: z.literal(kind), payload: definition.payload, options: options.optional() })
      .meta({ title: kind }),
  );
  return z.union(branches);
}

function jobPaths(registry: Registry) {
  const key = z.string().optional().meta({ description: 'Same key and body, same job, for 24 hours.' });
  return {
    '/v1/jobs': {
      post: {
        operationId: 'enqueue',
        requestParams: { header: z.object({ 'Idempotency-Key': key }) },
        requestBody: { required: true, content: json(requestSchema(registry)) },
        responses: { '202': answer('Accepted: the job is stored.', enqueued), default: refused },
      },
    },
    '/v1/jobs/{id}': {
      get: {
        operationId: 'readJob',
        requestParams: {
          ...id,
          query: z.object({
            include: z
              .string()
              .optional()
              .meta({ description: 'attempts,steps (children are always there)' }),
          }),
        },
        responses: { '200': answer('The job.', job), '304': { description: 'Unchanged.' }, default: refused },
      },
    },
    '/v1/jobs/{id}/cancel': {
      post: {
        operationId: 'cancelJob',
        requestParams: id,
        responses: {
          '200': answer('It, and all that was open below it, is cancelled.', cancelled),
          '202': answer('It, or one below it, runs and was asked to stop.', cancelled),
          default: refused,
        },
      },
    },
  };
}

const cancelled = z.object({
  id: z.uuid(),
  state,
  cancelRequested: z.boolean(),
});
const status = z.object({ status: z.string() });

const otherPaths = {
  '/v1/queues': {
    get: {
      operationId: 'readQueues',
      responses: { '200': answer('Every queue.', z.object({ queues: z.array(queue) })), default: refused },
    },
  },
  '/v1/queues/{queue}': {
    get: {
      operationId: 'readQueue',
      requestParams: { path: z.object({ queue: z.string() }) },
      responses: { '200': answer('One queue.', queue), default: refused },
    },
  },
  '/v1/artifacts/{id}': {
    get: {
      operationId: 'readArtifact',
      requestParams: {
        ...id,
        query: z.object({ expires: z.string().optional(), signature: z.string().optional() }),
      },
      security: [{ bearer: [] }, {}],
      responses: { '200': { description: 'Its bytes.' }, default: refused },
    },
  },
  '/livez': { get: { operationId: 'livez', security: [], responses: { '200': answer('Alive.', status) } } },
  '/readyz': {
    get: {
      operationId: 'readyz',
      security: [],
      responses: { '200': answer('Ready.', status), '503': answer('Not ready.', status) },
    },
  },
};
