// The providers' part of the OpenAPI document.
import { z } from 'zod';
import { providerNames } from '../shared/call.ts';
import { tripSchema } from './routes/providers.ts';

const moment = z.iso.datetime();

const provider = z
  .object({
    provider: z.enum(providerNames),
    gate: z.object({
      state: z.enum(['open', 'closed', 'probing']).meta({
        description:
          'probing: the time is over, one call at a time is let through to see whether it is back.',
      }),
      reason: z.string().nullable().meta({ description: 'A failure code, or operator.' }),
      note: z.string().nullable(),
      by: z.string().nullable(),
      since: moment.nullable(),
      until: moment.nullable(),
    }),
    maxCalls: z
      .int()
      .nullable()
      .meta({ description: 'Calls at once that the vendor allows, as it said last.' }),
    windowSeconds: z.int(),
    calls: z.int(),
    errorShare: z.number().nullable(),
    p95Ms: z.int().nullable(),
    spentTodayMicroUsd: z.number().meta({ description: 'Estimated, since midnight UTC.' }),
  })
  .meta({ id: 'Provider' });

const path = { path: z.object({ provider: z.enum(providerNames) }) };
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
