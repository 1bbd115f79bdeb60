// The providers' part of the OpenAPI document.
import { z } from 'zod';
import { gateNames, providerNames } from '../shared/call.ts';
import { tripSchema } from './routes/providers.ts';

const moment = z.iso.datetime();

const allGates = Object.values(gateNames).flat();

const gate = {
  state: z.enum(['open', 'closed', 'probing']).meta({
    description: 'probing: the time is over, one call at a time is let through to see whether it is back.',
  }),
  reason: z.string().nullable().meta({ description: 'A failure code, or operator.' }),
  note: z.string().nullable(),
  by: z.string().nullable(),
  since: moment.nullable(),
  until: moment.nullable(),
};

const maxCalls = z
  .int()
  .nullable()
  .meta({ description: 'Calls at once that the vendor allows, as it said last.' });

const provider = z
  .object({
    provider: z.enum(providerNames),
    gate: z.object(gate).meta({ description: 'The worst of its gates.' }),
    maxCalls,
    windowSeconds: z.int(),
    calls: z.int(),
    errorShare: z.number().nullable(),
    p95Ms: z.int().nullable(),
    spentTodayMicroUsd: z.number().meta({ description: 'Estimated, since midnight UTC.' }),
    gates: z
      .array(z.object({ name: z.enum(allGates), ...gate, maxCalls }))
      .meta({ description: 'What is closed on its own: each model of gemini; of the others the whole.' }),
  })
  .meta({ id: 'Provider' });

const path = {
  path: z.object({
    provider: z
      .enum([...new Set([...providerNames, ...allGates])])
      .meta({ description: 'A provider with all its gates, or the name of one gate.' }),
  }),
};
const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const answer = (description: string, schema: z.ZodType) => ({
  '200': { description, content: json(schema) },
});

/** `refused`: how the document describes a problem. */
export function providerPaths<Refused>(refused: Refused) {
  const one = { ...answer('The provider.', provider), default: refused };
  return {
    '/v1/providers': {
      get: {
        operationId: 'readProviders',
        responses: { ...answer('All five.', z.object({ providers: z.array(provider) })), default: refused },
      },
    },
    '/v1/providers/{provider}': {
      get: { operationId: 'readProvider', requestParams: path, responses: one },
    },
    '/v1/providers/{provider}/trip': {
      post: {
        operationId: 'tripProvider',
        requestParams: path,
        requestBody: { required: true, content: json(tripSchema) },
        responses: one,
      },
    },
    '/v1/providers/{provider}/reset': {
      post: { operationId: 'resetProvider', requestParams: path, responses: one },
    },
  };
}
