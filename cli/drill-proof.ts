// The proof of a drill: every accepted job against the ledger, every charged call against the sandbox's bill, and the ledger
// against the engine.
import { connect } from '../client/index.ts';
import { recoverAll } from '../ledger/recover-all.ts';
import { withComparison } from './comparison.ts';
import type { DrillSystem } from './drill-system.ts';
import type { Paint } from './terminal.ts';

export interface Course {
  /** Jobs that were acknowledged. */
  ids: readonly string[];
  /** Those of them that waited in the engine when it was lost. */
  held: number;
  /** From the loss to the moment when the engine held every job again. */
  wholeMs: number;
  /** From the loss to the last job's end. */
  healedMs: number;
  engine: 'redis' | 'postgres';
}

export interface Proof {
  ok: boolean;
  engine: Course['engine'];
  accepted: number;
  inEngineAtLoss: number;
  succeeded: number;
  /** Accepted and not succeeded. */
  lost: number;
  /** Steps with more than one charged call. */
  doubled: number;
  /** Jobs that the ledger has given to the engine and that it does not hold, afterwards. */
  forgotten: number;
  wholeMs: number;
  healedMs: number;
}

export async function prove(
  system: DrillSystem,
  { ids, held, wholeMs, healedMs, engine }: Course,
): Promise<Proof> {
  const client = connect({ url: system.api, key: system.key });
  let succeeded = 0;
  for (const id of ids) if ((await client.get(id)).state === 'succeeded') succeeded += 1;
  const calls = await callsByStep(system);
  const doubled = [...calls.values()].filter((count) => count > 1).length;
  const { forgotten } = await withComparison(system.config, system.databaseUrl, (comparison) =>
    recoverAll({ ...comparison, dryRun: true }),
  );
  const lost = ids.length - succeeded;
  // A drill in which the engine had nothing, or nobody was charged, would prove nothing.
  const hasMeaning = held > 0 && calls.size === ids.length;
  return {
    ok: hasMeaning && lost === 0 && doubled === 0 && forgotten.length === 0,
    engine,
    accepted: ids.length,
    inEngineAtLoss: held,
    succeeded,
    lost,
    doubled,
    forgotten: forgotten.reduce((sum, { jobs }) => sum + jobs, 0),
    wholeMs,
    healedMs,
  };
}

async function callsByStep({ sandbox }: DrillSystem): Promise<Map<string, number>> {
  const answer = await fetch(`${sandbox}/_sandbox/bill?provider=smtp`);
  const { entries } = (await answer.json()) as { entries: { step?: string }[] };
  const counts = new Map<string, number>();
  for (const { step = '' } of entries) counts.set(step, (counts.get(step) ?? 0) + 1);
  return counts;
}

export function proofText(proof: Proof, paint: Paint): string {
  const rows = [
    ['accepted', proof.accepted],
    ['in the engine when lost', proof.inEngineAtLoss],
    ['succeeded', proof.succeeded],
    ['lost', proof.lost],
    ['done twice', proof.doubled],
    ['still forgotten', proof.forgotten],
    ['back in the engine in', seconds(proof.wholeMs)],
    ['all ended in', seconds(proof.healedMs)],
  ] as const;
  const table = rows.map(([name, value]) => `  ${name.padEnd(24)} ${value}\n`).join('');
  const verdict = proof.ok
    ? `${paint('green', '✓')} The engine was lost, and no job with it.\n`
    : `${paint('red', '✗')} The drill failed.\n`;
  return table + verdict;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
