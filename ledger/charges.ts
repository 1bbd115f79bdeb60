// Charges: what an accepted call cost, in estimated millionths of a dollar, from a dated price table. Written with the step.
// A charge has an id of its own making, so that a write whose answer was lost, or a call that two attempts report, counts once.
// Numbers and names come from vendors: whatever they hold, they fit their columns, or an answer we paid for could not be stored.
import type { Charge } from '../shared/call.ts';
import { idOf } from '../shared/ids.ts';
import { sanitiseText } from '../shared/text.ts';
import { addSpend } from './budgets.ts';
import type { Tx } from './db.ts';

interface Owner {
  jobId: string;
  attemptNo: number;
  tenant: string;
  kind: string;
}

interface PriceRow {
  model: string;
  unit: string;
  microUsd: { toString: () => string };
}

/** A call that uses more than a million million of anything is a vendor's mistake, not a bill. */
const mostUnits = 1e12;
/** A million dollars. */
const mostMicroUsd = 1e12;

/**
 * Writes one row a charge, unless it is there, counts the new ones up, and returns the prices of all. A unit without a price
 * counts as free. The last thing in its transaction (ledger/budgets.ts).
 */
export async function recordCharges(
  tx: Tx,
  owner: Owner,
  step: string,
  charges: readonly Charge[],
): Promise<number[]> {
  if (charges.length === 0) return [];
  const { jobId, tenant, kind } = owner;
  const prices = await pricesOf(tx, charges);
  const rows = charges.map(clean).map((charge, index) => {
    const { provider, model, requestId = null, usage } = charge;
    const own = { provider, model, requestId, usage: usage.map((one) => ({ ...one })) };
    const microUsd = estimate(
      prices.filter((price) => price.provider === provider),
      charge,
    );
    return { id: chargeId(owner, step, charge, index), jobId, step, tenant, kind, ...own, microUsd };
  });
  const written = await tx.charge.createManyAndReturn({
    data: rows.map((row) => ({ ...row, microUsd: BigInt(row.microUsd) })),
    skipDuplicates: true,
    select: { provider: true, microUsd: true },
  });
  await addSpend(
    tx,
    tenant,
    written.map(({ provider, microUsd }) => ({ provider, microUsd: Number(microUsd) })),
  );
  return rows.map(({ microUsd }) => microUsd);
}

/** By the vendor's request where it names one: a later attempt that finds an earlier one's answer reports the same charge. */
function chargeId(
  { jobId, attemptNo }: Owner,
  step: string,
  { provider, requestId }: Charge,
  index: number,
): string {
  const name =
    requestId === undefined
      ? ['call', jobId, step, String(attemptNo), String(index)]
      : ['request', provider, requestId];
  return idOf(JSON.stringify(name));
}

function clean(charge: Charge): Charge {
  const requestId = charge.requestId === undefined ? '' : sanitiseText(charge.requestId, 200);
  return {
    provider: charge.provider,
    model: sanitiseText(charge.model, 100),
    usage: charge.usage.map(({ unit, quantity }) => ({ unit, quantity: sensible(quantity) })),
    ...(requestId !== '' && { requestId }),
  };
}

function sensible(quantity: number): number {
  return Number.isFinite(quantity) ? Math.min(Math.max(quantity, 0), mostUnits) : 0;
}

function pricesOf(tx: Tx, charges: readonly Charge[]): Promise<(PriceRow & { provider: string })[]> {
  return tx.$queryRaw`
    SELECT provider, model, unit, micro_usd::text AS "microUsd" FROM price
    WHERE provider = ANY(${charges.map(({ provider }) => provider)}::text[]) AND valid_from <= clock_timestamp()
    ORDER BY valid_from DESC`;
}

/**
 * Millionths of a dollar; `rows` come newest first. A model's own price goes before that of the model whose version it is
 * (`x-preview` of `x`), and both before `*`.
 */
export function estimate(rows: readonly PriceRow[], { model, usage }: Charge): number {
  const family = (row: PriceRow): boolean => model === row.model || model.startsWith(`${row.model}-`);
  const total = usage.reduce((sum, { unit, quantity }) => {
    const priced = rows.filter((row) => row.unit === unit);
    const [nearest] = priced.filter(family).toSorted((one, other) => other.model.length - one.model.length);
    const price = nearest ?? priced.find((row) => row.model === '*');
    return sum + Number(price?.microUsd.toString() ?? 0) * quantity;
  }, 0);
  return Math.min(Math.round(total), mostMicroUsd);
}
