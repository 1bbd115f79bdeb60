// Charges: what an accepted call cost, in estimated millionths of a dollar, from a dated price table. Written with the step.
import type { Charge } from '../shared/call.ts';
import { newId } from '../shared/ids.ts';
import type { Tx } from './db.ts';

interface Owner {
  jobId: string;
  tenant: string;
  kind: string;
}

interface PriceRow {
  model: string;
  unit: string;
  microUsd: { toString: () => string };
}

/** Writes one row a charge and returns their prices. A unit without a price counts as free. */
export async function recordCharges(
  tx: Tx,
  owner: Owner,
  step: string,
  charges: readonly Charge[],
): Promise<number[]> {
  const prices: number[] = [];
  for (const charge of charges) {
    const rows = await tx.price.findMany({
      where: {
        provider: charge.provider,
        model: { in: [charge.model, '*'] },
        validFrom: { lte: new Date() },
      },
      orderBy: { validFrom: 'desc' },
      select: { model: true, unit: true, microUsd: true },
    });
    const microUsd = estimate(rows, charge);
    const { provider, model, requestId } = charge;
    const usage = charge.usage.map(({ unit, quantity }) => ({ unit, quantity }));
    await tx.charge.create({
      data: {
        id: newId(),
        jobId: owner.jobId,
        step,
        tenant: owner.tenant,
        kind: owner.kind,
        provider,
        model,
        requestId: requestId ?? null,
        usage,
        microUsd: BigInt(microUsd),
      },
      select: { id: true },
    });
    prices.push(microUsd);
  }
  return prices;
}

/** Millionths of a dollar; `rows` come newest first, a model's own price goes before `*`. */
export function estimate(rows: readonly PriceRow[], charge: Charge): number {
  const total = charge.usage.reduce((sum, { unit, quantity }) => {
    const own = rows.find((row) => row.unit === unit && row.model === charge.model);
    const any = rows.find((row) => row.unit === unit && row.model === '*');
    return sum + Number((own ?? any)?.microUsd.toString() ?? 0) * quantity;
  }, 0);
  return Math.round(total);
}
