// The providers: how they are, and the two things an operator does about one: close its gates for a time, and open them. Both
// may be clicked twice, and done to one gate by its name. Nobody's jobs fail while a gate is closed: they wait and keep their attempts.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { refusal } from '../../queues/check.ts';
import { gateNames, providerNames, type GateName, type ProviderName } from '../../shared/call.ts';
import { Problem, toError, type FieldError } from '../../shared/errors.ts';
import { hasForbiddenCharacters, quoted } from '../../shared/text.ts';
import { resetGates, tripGates } from '../../ledger/gates.ts';
import type { Caller } from '../../ledger/keys.ts';
import { providerFigures } from '../../ledger/provider-minutes.ts';
import { providerViews, type ProviderView } from '../../ledger/queries-providers.ts';
import { wakeSleepers } from '../../ledger/wake.ts';
import { readJson, readNothing, unknownField } from '../body.ts';
import type { ApiDeps, Route } from '../deps.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { remember } from '../../shared/remember.ts';

const rememberedMs = 1_000;
const dayMs = 86_400_000;

/** `forMs`: how long, from a second to seven days. `reason`: why, for those who read it later. */
export const tripSchema = z.strictObject({
  forMs: z
    .int('must be a whole number of milliseconds')
    .min(1_000, 'must be at least a second')
    .max(7 * dayMs, 'must be at most 7 days'),
  reason: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(200, 'must have at most 200 characters')
    .refine((text) => !hasForbiddenCharacters(text), 'holds characters that cannot be stored'),
});

interface Desk {
  deps: ApiDeps;
  views: () => Promise<ProviderView[]>;
}

export function providerRoutes(deps: ApiDeps): Route[] {
  const figures = remember(rememberedMs, () => providerFigures(deps.db));
  const desk: Desk = { deps, views: () => providerViews(deps.db, figures) };
  return [
    {
      method: 'GET',
      path: '/v1/providers',
      query: [],
      scope: 'jobs:read',
      run: async (exchange) => sendJson(exchange, 200, { providers: await desk.views() }),
    },
    {
      method: 'GET',
      path: '/v1/providers/:provider',
      query: [],
      scope: 'jobs:read',
      run: (exchange) => show(desk, exchange, targetOf(exchange)),
    },
    act('trip', (exchange, caller) => trip(desk, exchange, caller)),
    act('reset', (exchange, caller) => reset(desk, exchange, caller)),
  ];
}

function act(name: 'trip' | 'reset', run: (exchange: Exchange, caller: Caller) => Promise<void>): Route {
  return { method: 'POST', path: `/v1/providers/:provider/${name}`, query: [], scope: 'jobs:operate', run };
}

/** What the path names: a provider with all its gates, or one gate. */
interface Target {
  name: ProviderName | GateName;
  provider: ProviderName;
  gates: readonly GateName[];
}

async function show({ views }: Desk, exchange: Exchange, { provider }: Target): Promise<void> {
  sendJson(
    exchange,
    200,
    (await views()).find((view) => view.provider === provider),
  );
}

async function trip(desk: Desk, exchange: Exchange, caller: Caller): Promise<void> {
  const target = targetOf(exchange);
  const { forMs, reason } = readTrip(await readJson(exchange));
  await tripGates(desk.deps.db, { gates: target.gates, forMs, note: reason, by: caller.keyId });
  tell(desk, exchange, target, { keyId: caller.keyId, act: 'closed' });
  await show(desk, exchange, target);
}

async function reset(desk: Desk, exchange: Exchange, caller: Caller): Promise<void> {
  const target = targetOf(exchange);
  await readNothing(exchange);
  await resetGates(desk.deps.db, target.gates);
  tell(desk, exchange, target, { keyId: caller.keyId, act: 'opened' });
  void wake(desk, target);
  await show(desk, exchange, target);
}

/** Work processes believe the row they have read for a second: who woke within it would be told to sleep again. */
const settleMs = 2_000;

/** Not waited for: there may be a hundred thousand. What it does not come to sleeps on, and comes back by itself. */
async function wake({ deps: { db, emit } }: Desk, { provider }: Target): Promise<void> {
  try {
    await delay(settleMs, undefined, { ref: false });
    const woken = await wakeSleepers(db, provider);
    if (woken > 0)
      emit('notice', { level: 'info', message: `${woken} jobs that waited for ${provider} come back` });
  } catch (thrown) {
    const message = `jobs that wait for ${provider} could not be woken: ${toError(thrown).message}`;
    emit('notice', { level: 'warn', message });
  }
}

/** Leaves a line of who did it. */
function tell(
  { deps }: Desk,
  { requestId }: Exchange,
  { name, provider, gates }: Target,
  facts: { keyId: string; act: string },
): void {
  const message = `${name}: gate ${facts.act} by an operator`;
  deps.emit('notice', { level: 'warn', message, facts: { provider, gates, ...facts, requestId } });
}

const targets: ReadonlyMap<string, Target> = new Map(
  providerNames.flatMap((provider) => {
    const gates = gateNames[provider];
    const single = gates.map((gate): Target => ({ name: gate, provider, gates: [gate] }));
    return [...single, { name: provider, provider, gates }].map((target) => [target.name, target] as const);
  }),
);

/** `gemini (its gates are gemini-text, gemini-pictures), elevenlabs, deepgram`: a lone gate has no name of its own. */
const known = providerNames
  .map((provider) => {
    const gates = gateNames[provider];
    return gates.length === 1 ? provider : `${provider} (its gates are ${gates.join(', ')})`;
  })
  .join(', ');

function targetOf(exchange: Exchange): Target {
  const name = exchange.params['provider'] ?? '';
  const target = targets.get(name);
  if (target !== undefined) return target;
  const why = `${quoted(name)} is not a provider; known are ${known}`;
  throw new Problem('provider_not_found', `the request failed: ${why}`, {
    details: { providers: providerNames, gates: Object.values(gateNames).flat() },
  });
}

function readTrip(body: unknown): z.output<typeof tripSchema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Problem(
      'object_required',
      'the request failed: the body must be a JSON object with forMs and reason',
    );
  const parsed = tripSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusal(parsed.error.issues.flatMap(toErrors));
}

function toErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, 20).map(unknownField);
  const pointer = `/${issue.path.map(String).join('/')}`;
  return [{ pointer, code: 'validation_failed', message: issue.message }];
}
