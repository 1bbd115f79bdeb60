// Covers: ledger/leader.ts, ledger/workers.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { leaveLead, takeLead } from '../../ledger/leader.ts';
import { expire, prune } from '../../ledger/retention.ts';
import { commitStep } from '../../ledger/steps.ts';
import { registerWorker, workerSeen, workerStopped } from '../../ledger/workers.ts';
import { storeFile } from './files.ts';
import { openLives, type Lives } from './lives.ts';
import { addJob, query, setJob, stateOf } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

test('everything past its lifetime goes, however much it is, and a result that a step needs stays', async () => {
  await query(
    lives,
    `INSERT INTO idempotency (tenant, endpoint, key, body_hash, job_id, expires_at)
     SELECT 't', 'e', n::text, '\\x00', gen_random_uuid(), now() + (n - 1200.5) * interval '1 ms' - interval '1 h' * (n <= 1200)::int + interval '1 h' * (n > 1200)::int
     FROM generate_series(1, 1210) AS n`,
  );
  const begun = await lives.start();
  await commitStep(lives.db, begun, { name: 'large', value: 'x'.repeat(70_000), charges: [], durationMs: 1 });
  await commitStep(lives.db, begun, { name: 'bytes', value: new Uint8Array(3), charges: [], durationMs: 1 });
  await query(lives, `UPDATE artifact SET expires_at = now() - interval '1 s'`);
  expect(await prune(lives.db)).toBe(1_201);
  expect(await query(lives, 'SELECT content_type FROM artifact')).toEqual([
    { content_type: 'application/json' },
  ]);
  expect(await prune(lives.db)).toBe(0);
});

test('one table that cannot be pruned keeps no other one from it, and is told', async () => {
  await query(
    lives,
    `INSERT INTO provider_minute (minute, provider, calls, errors) VALUES ('2026-01-01', 'smtp', 1, 0)`,
  );
  const stuck: typeof lives.db.run = (statement, values) =>
    statement.text.includes('idempotency')
      ? Promise.reject(new Error('canceling statement due to statement timeout'))
      : lives.db.run(statement, values);
  await expect(prune({ ...lives.db, run: stuck })).rejects.toThrow('statement timeout');
  expect(await query(lives, `SELECT 1 FROM provider_minute WHERE minute = '2026-01-01'`)).toEqual([]);
});

test('a file in parts goes a few parts at a time, and itself when it has none left', async () => {
  const id = await storeFile(lives, await lives.start(), 1);
  await query(
    lives,
    `INSERT INTO artifact_part (artifact_id, n, bytes) SELECT $1, n, 'x' FROM generate_series(2, 119) n`,
    [id],
  );
  await query(lives, `UPDATE artifact SET expires_at = now() - interval '1 s' WHERE id = $1`, [id]);
  const taken: number[] = [];
  const one: typeof lives.db.run = async (statement, values) => {
    if (statement.text.includes('DELETE FROM artifact_part') && taken.length === 2)
      throw new Error('canceling statement due to statement timeout');
    const rows = await lives.db.run<never>(statement, values);
    if (statement.text.includes('DELETE FROM artifact')) taken.push(rows.length);
    return rows;
  };
  await expect(prune({ ...lives.db, run: one })).rejects.toThrow('statement timeout');
  expect(taken).toEqual([50, 50, 0]);
  expect(await prune(lives.db)).toBe(20 + 1);
});

test('what a tenant spent is kept for a week, because budgets only ask for today', async () => {
  await query(
    lives,
    `INSERT INTO spend (tenant, day, provider, micro_usd)
     SELECT 'tenant-' || n, (now() AT TIME ZONE 'UTC')::date - days, '*', 1
     FROM generate_series(1, 600) AS n, unnest('{0,7,8,400}'::int[]) AS days`,
  );
  expect(await prune(lives.db)).toBe(1_200);
  const left = `SELECT (now() AT TIME ZONE 'UTC')::date - day AS days, count(*)::int FROM spend GROUP BY 1 ORDER BY 1`;
  expect(await query(lives, left)).toEqual([
    { days: 0, count: 600 },
    { days: 7, count: 600 },
  ]);
  expect(await prune(lives.db)).toBe(0);
});

test('thousands that expire together are found by one look, for each passes all that have time left', async () => {
  const one = await addJob(lives, { blocked: true, openChildren: 1 });
  await query(
    lives,
    `INSERT INTO job SELECT (j).* FROM (SELECT jsonb_populate_record(job, jsonb_build_object('id', gen_random_uuid(),
        'state', 'waiting', 'give_up_at', now() - interval '1 s')) AS j
      FROM job, generate_series(1, 2000) WHERE id = $1) AS copies`,
    [one],
  );
  expect((await expire(lives.db)).expired).toHaveLength(2_000);
  expect((await expire(lives.db)).expired).toEqual([]);
});

test('a job that nobody could run in time expires and says so; one that runs does not', async () => {
  const waiting = await addJob(lives);
  const running = (await lives.start()).jobId;
  for (const id of [waiting, running]) await setJob(lives, id, `give_up_at = now() - interval '1 s'`);
  expect((await expire(lives.db)).expired).toHaveLength(1);
  expect([await stateOf(lives, waiting), await stateOf(lives, running)]).toEqual(['expired', 'running']);
});

test('one leads at a time, keeps the lead by renewing it, and is followed when its time has passed or it left', async () => {
  const [a, b] = [newId(), newId()];
  expect(
    await Promise.all([takeLead(lives.db, 'duty', a, 60_000), takeLead(lives.db, 'duty', a, 60_000)]),
  ).toEqual([true, true]);
  expect(await takeLead(lives.db, 'duty', b, 60_000)).toBe(false);
  await query(lives, `UPDATE leader SET until = now() - interval '1 ms'`);
  expect(await takeLead(lives.db, 'duty', b, 60_000)).toBe(true);
  await leaveLead(lives.db, 'duty', a);
  expect(await takeLead(lives.db, 'duty', a, 60_000)).toBe(false);
  await leaveLead(lives.db, 'duty', b);
  expect(await takeLead(lives.db, 'duty', a, 60_000)).toBe(true);
});

test('a work process is known from its registration, which may be sent twice, to its stop', async () => {
  const worker = { id: newId(), version: '1.2.3', queues: ['email'], knows: [] };
  await registerWorker(lives.db, worker);
  await registerWorker(lives.db, worker);
  await workerSeen(lives.db, worker.id);
  expect(await lives.db.prisma.worker.findUnique({ where: { id: worker.id } })).toMatchObject({
    stoppedAt: null,
    pid: process.pid,
  });
  await workerStopped(lives.db, worker.id);
  expect(await lives.db.prisma.worker.findUnique({ where: { id: worker.id } })).toMatchObject({
    stoppedAt: expect.any(Date),
  });
});
