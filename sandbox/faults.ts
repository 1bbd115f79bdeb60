// Faults on request: what a vendor does on a bad day, scripted by a test or a drill, or drawn by probability.
// status, quota, delay, hang, smtp and reset{billed:false} come before the vendor accepts; cut, stall, garbage, safety,
// max_tokens and reset{billed:true} come after, so they are on the bill.
import { z } from 'zod';
import type { Answer, Route } from './frame.ts';

const bytes = z.int().min(0);

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(400).max(599),
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  z.strictObject({ kind: z.literal('delay'), ms: z.int().min(0).max(3_600_000) }),
  z.strictObject({ kind: z.literal('hang') }),
  z.strictObject({ kind: z.literal('stall'), afterBytes: bytes }),
  z.strictObject({ kind: z.literal('cut'), afterBytes: bytes }),
  z.strictObject({ kind: z.literal('reset'), billed: z.boolean() }),
  z.strictObject({ kind: z.literal('garbage'), body: z.string(), contentType: z.string().optional() }),
  z.strictObject({ kind: z.literal('safety'), at: z.enum(['prompt', 'answer']).optional() }),
  z.strictObject({ kind: z.literal('max_tokens') }),
  z.strictObject({ kind: z.literal('quota') }),
  z.strictObject({
    kind: z.literal('smtp'),
    code: z.int().min(400).max(599),
    at: z.enum(['greeting', 'mail', 'rcpt', 'data']),
    drop: z.boolean().optional(),
  }),
]);

const planSchema = z.strictObject({
  provider: z.enum(['gemini', 'elevenlabs', 'deepgram', 'cloudinary', 'smtp']),
  operation: z.string().optional(),
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
  match: z.string().optional(),
  fault: faultSchema,
});

export type Fault = z.infer<typeof faultSchema>;
/** `times` left out: until cleared. `match`: a part of the step. No `operation`: every request, pings included. */
export type FaultPlan = z.infer<typeof planSchema>;

export interface Faults {
  add: (plan: FaultPlan) => string;
  list: () => (FaultPlan & { id: string; used: number })[];
  clear: () => void;
  /** The first plan that fits, counted as used. For SMTP the operation is the moment: greeting, mail, rcpt or data. */
  take: (at: {
    provider: string;
    operation?: string | undefined;
    step?: string | undefined;
  }) => Fault | undefined;
}

type Moment = Parameters<Faults['take']>[0];

function fits(plan: FaultPlan & { used: number }, at: Moment): boolean {
  if (plan.provider !== at.provider || plan.used >= (plan.times ?? Infinity)) return false;
  if (plan.operation !== undefined && plan.operation !== at.operation) return false;
  if (plan.fault.kind === 'smtp' && plan.fault.at !== at.operation) return false;
  return plan.match === undefined || (at.step ?? '').includes(plan.match);
}

export function openFaults(random: () => number = Math.random): Faults {
  let plans: (FaultPlan & { id: string; used: number })[] = [];
  let last = 0;
  return {
    add: (plan) => {
      last += 1;
      const id = `fault-${last}`;
      plans.push({ ...plan, id, used: 0 });
      return id;
    },
    list: () => plans.map((plan) => ({ ...plan })),
    clear: () => {
      plans = [];
    },
    take: (at) => {
      const plan = plans.find((candidate) => fits(candidate, at) && random() < (candidate.probability ?? 1));
      if (!plan) return undefined;
      plan.used += 1;
      return plan.fault;
    },
  };
}

const refused = (message: string): Answer => ({ status: 400, body: { error: message } });

/** POST adds one plan (application/json only, so that no web page can post one), GET lists with `used`, DELETE clears. */
export function faultRoutes(faults: Faults): Route[] {
  const add: Route['accept'] = (req) => {
    if (!req.headers['content-type']?.startsWith('application/json')) {
      return refused('the fault was not added: the body is not application/json; send that content type');
    }
    try {
      const plan = planSchema.parse(JSON.parse(req.body.toString('utf8')));
      return { status: 201, body: { id: faults.add(plan) } };
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      return refused(`the fault was not added: ${why}; see sandbox/faults.ts for the fields`);
    }
  };
  const clear: Route['accept'] = () => {
    faults.clear();
    return { status: 200, body: { cleared: true } };
  };
  const pattern = '/_sandbox/faults';
  return [
    { method: 'POST', pattern, accept: add },
    { method: 'GET', pattern, accept: () => ({ status: 200, body: { faults: faults.list() } }) },
    { method: 'DELETE', pattern, accept: clear },
  ];
}
