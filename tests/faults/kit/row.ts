// A row of the fault table: one Jest test an engine, a seed that is printed and can be given again (FAULTS_SEED), one line
// of what happened, and the same as JSON in the run's file, from which the README's table is written.
import { appendFileSync } from 'node:fs';
import { test } from '@jest/globals';
import type { Counts } from './check.ts';
import type { EngineName } from './stores.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';

const readOpen = {
  name: 'row_open',
  text: `SELECT clock_timestamp() AS now, j.id, j.state, j.generation, j.attempt_no, j.started_at, j.lease_until, j.run_at, j.dispatched_at,
      j.claimed_until, j.cancel_requested_at, w.pid, w.seen_at, w.stopped_at, w.crashed_at, w.crash_reason
    FROM job j LEFT JOIN worker w ON w.id = j.worker_id WHERE j.finished_at IS NULL ORDER BY j.run_at LIMIT 20`,
};
const readEnds = {
  name: 'row_ends',
  text: `SELECT concat_ws(' ', count(*), outcome::text, code, left(message, 80)) AS line FROM attempt GROUP BY outcome, code, left(message, 80)`,
};

export interface RowOptions extends Omit<WorldOptions, 'engine' | 'seed'> {
  /** Number in the fault table, two digits. */
  ft: string;
  /** A sentence that is true when the row passes. */
  name: string;
  /** P: test:faults, and with every npm test those that jest.config.js names. N: test:nightly. S: test:soak. */
  tier: 'P' | 'N' | 'S';
  /** Default both. */
  engines?: readonly EngineName[];
  /** Milliseconds; default 240,000. */
  timeoutMs?: number;
}

/** What a row reports: the checker's counts, and how long from the end of the fault to the last job's end. */
export interface RowResult extends Counts {
  recoveryMs: number;
  jobs: number;
}

const resultsFile = 'tests/faults/results.jsonl';

/** Declares the row. `body` injects the fault, waits, checks, and returns what it counted. */
export function faultRow(options: RowOptions, body: (world: World) => Promise<RowResult>): void {
  const { ft, name, tier, engines = ['redis', 'postgres'], timeoutMs = 240_000, ...rest } = options;
  for (const engine of engines.filter(isWanted)) {
    test(
      `FT-${ft} on ${engine}: ${name}`,
      async () => {
        const seed = Number(process.env['FAULTS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
        process.stdout.write(`FT-${ft} ${engine}: seed ${seed}\n`);
        const world = await openWorld({ ...rest, engine, seed });
        const start = performance.now();
        try {
          const result = await body(world);
          const tookMs = Math.round(performance.now() - start);
          process.stdout.write(
            `FT-${ft} ${engine}: ${lineOf(result)}, took ${(tookMs / 1_000).toFixed(0)} s\n`,
          );
          tell({ ft, tier, engine, name, ...rounded(result), tookMs });
        } catch (thrown) {
          tell({ ft, tier, engine, name, failed: true });
          process.stdout.write(
            `FT-${ft} ${engine} failed; run it again with FAULTS_SEED=${seed}\n${await findings(world)}`,
          );
          throw thrown;
        } finally {
          await world.close();
        }
      },
      timeoutMs,
    );
  }
}

function tell(result: object): void {
  appendFileSync(resultsFile, `${JSON.stringify(result)}\n`);
}

function isWanted(engine: EngineName): boolean {
  return [undefined, '', engine].includes(process.env['FAULTS_ENGINE']);
}

function lineOf({ jobs, lost, reruns, refused, extraCalls, recoveryMs }: RowResult): string {
  return `${jobs} jobs, ${lost} lost, ${reruns} reruns, ${refused} refused, ${extraCalls} extra calls, recovery ${(recoveryMs / 1_000).toFixed(1)} s`;
}

function rounded(result: RowResult): RowResult {
  return { ...result, recoveryMs: Math.round(result.recoveryMs) };
}

/** What one needs to know first when a row fails: how attempts ended, and the last words of each process. */
async function findings({ members, db }: World): Promise<string> {
  const ends = await db.run<{ line: string }>(readEnds, []).catch(() => []);
  const words = members.map(({ name, lines }) => `--- ${name}\n${lines.slice(-40).join('\n')}\n`);
  const open = await db.run<object>(readOpen, []).catch(() => []);
  return `${ends.map(({ line }) => line).join(', ')}\n${open.map((row) => JSON.stringify(row)).join('\n')}\n${words.join('')}`;
}
