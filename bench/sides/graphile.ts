// graphile-worker, for scale: a durable row per job in PostgreSQL, as a user would run it.
import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker';
import { Pool } from 'pg';
import { measured } from '../measure.ts';
import { payload, type Side, type SideContext, type SideResult } from './types.ts';

const logger = new Logger(() => () => undefined);

async function round(context: SideContext, pool: Pool, count: number): Promise<SideResult> {
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await utils.migrate();
  await pool.query(`SELECT graphile_worker.add_job('noop', $1::json) FROM generate_series(1, $2)`, [
    JSON.stringify(payload),
    count,
  ]);
  let runner: Runner | undefined;
  const result = await measured(count, async (ended) => {
    const noop = (): Promise<void> => Promise.resolve(ended());
    runner = await run({
      pgPool: pool,
      concurrency: context.inFlight,
      taskList: { noop },
      logger,
      noHandleSignals: true,
    });
  });
  await runner?.stop();
  await utils.release();
  return result;
}

export const graphile: Side = async (context) => {
  const pool = new Pool({ connectionString: context.databaseUrl, max: 20 });
  await round(context, pool, context.warmUp);
  const result = await round(context, pool, context.jobs);
  await pool.end();
  return result;
};
