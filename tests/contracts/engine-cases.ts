// The cases of the conformance suite: what the ledger expects of an engine must hold on each, wherever its keys are.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Failure } from '../../shared/errors.ts';
import type { Job } from '../../workers/define.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually, openHouse, type House } from '../support/house.ts';

type Play = Job<{
  name?: string;
  fail?: number;
  snooze?: number;
  die?: boolean;
  strange?: 'throw' | 'return';
  progress?: boolean;
  children?: number;
}>;

const runs: { id: string; name: string | undefined; attempt: number; at: number }[] = [];

async function play(job: Play): Promise<unknown> {
  runs.push({ id: job.id, name: job.payload.name, attempt: job.attempt, at: Date.now() });
  const { fail = 0, snooze = 0, die, children = 0, strange } = job.payload;
  if (strange !== undefined) return beStrange(job, strange);
  if (job.attempt <= snooze) throw new Failure('rate_limited', 'slow down', { retryAfterMs: 50 });
  if (job.attempt <= snooze + fail) throw new Failure('unavailable', 'down');
  if (die === true) throw new Failure('bad_input', 'no: \u0000 \ud800 ever');
  if (job.payload.progress === true) job.progress(40, 'half way');
  giveBirth(job, children);
  return { echo: job.payload.name ?? null };
}

/** What no engine and no database should have to store. */
function beStrange(job: Play, how: 'throw' | 'return'): unknown {
  if (how === 'throw') throw undefined as unknown as Error;
  job.progress(50, 'half \u0000 way \ud800');
  return { text: 'a \u0000 b \udc00 c', big: 2n ** 64n, ['key\u0000']: Number.NaN };
}

function giveBirth(job: Play, children: number): void {
  for (let child = 0; child < children; child += 1) {
    job.enqueue('play' as never, { name: `child of ${job.id}` } as never);
  }
  if (children > 0) job.enqueue('rest' as never, {} as never, { after: 'siblings' });
}

/** `redisUrl`: undefined for PostgreSQL; asked once everything is started. */
export function engineCases(engine: string, redisUrl: () => string | undefined): void {
  let house: House;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase();
    house = await openHouse({
      databaseUrl: database.url,
      redisUrl: redisUrl(),
      handlers: { play, rest: async () => ({ rested: true }) },
    });
  });
  // Before what the file itself closes: a house must be closed before its engine is stopped.
  afterAll(async () => {
    await house.close();
    await database.drop();
  });

  test(`${engine}: a job runs once and its result is in the ledger`, async () => {
    const { id } = await house.enqueue('play', { name: 'one' });
    const row = await house.until(id, (job) => job.state === 'succeeded');
    expect(row).toMatchObject({
      result: { echo: 'one' },
      attemptNo: 1,
      generation: 1,
      failures: 0,
      progress: 100,
    });
    expect(runs.filter((run) => run.id === id)).toHaveLength(1);
  });

  test(`${engine}: a failure is retried with a new generation until the attempts are used up`, async () => {
    const { id } = await house.enqueue('play', { fail: 2 });
    expect(await house.until(id, (job) => job.state === 'succeeded')).toMatchObject({
      attemptNo: 3,
      failures: 2,
      generation: 3,
    });
    const dead = await house.enqueue('play', { fail: 9 });
    expect(await house.until(dead.id, (job) => job.state === 'dead')).toMatchObject({
      attemptNo: 3,
      errorCode: 'unavailable',
    });
    const attempts = await house.db.prisma.attempt.findMany({
      where: { jobId: dead.id },
      orderBy: { attemptNo: 'asc' },
    });
    expect(attempts.map((attempt) => [attempt.outcome, attempt.generation])).toEqual([
      ['failed', 1],
      ['failed', 2],
      ['failed', 3],
    ]);
  });

  test(`${engine}: a snooze gives its attempt back`, async () => {
    const { id } = await house.enqueue('play', { snooze: 4 });
    expect(await house.until(id, (job) => job.state === 'succeeded')).toMatchObject({
      attemptNo: 5,
      failures: 0,
    });
  });

  test(`${engine}: a permanent failure is dead at once and the engine's failed list has exactly the dead`, async () => {
    const { id } = await house.enqueue('play', { die: true });
    const row = await house.until(id, (job) => job.state === 'dead');
    expect(row.errorMessage).toBe('no: \ufffd \ufffd ever');
    const [queue] = await house.broker.boardQueues();
    await eventually(
      'the engine lists it',
      async () => (await queue?.getFailed())?.some((job) => job.id?.startsWith(id)) ?? false,
    );
    for (const job of (await queue?.getFailed()) ?? []) {
      expect((await house.db.prisma.job.findUniqueOrThrow({ where: { id: job.data.jobId } })).state).toBe(
        'dead',
      );
    }
  });

  test(`${engine}: what cannot be stored as it is said is stored as near as it can be, the same on both`, async () => {
    const { id } = await house.enqueue('play', { strange: 'return' });
    expect(await house.until(id, (job) => job.state === 'succeeded')).toMatchObject({
      result: { text: 'a \ufffd b \ufffd c', big: '18446744073709551616', 'key\ufffd': null },
      attemptNo: 1,
    });
    const thrown = await house.enqueue('play', { strange: 'throw' });
    expect(await house.until(thrown.id, (job) => job.state === 'dead')).toMatchObject({
      attemptNo: 3,
      failures: 3,
      errorCode: 'bug',
      errorMessage: 'something that is not an Error was thrown: undefined',
    });
  });

  test(`${engine}: a delayed job is scheduled, shown as delayed and not run early`, async () => {
    const before = Date.now();
    const { id, state } = await house.enqueue('play', { name: 'later' }, { options: { delayMs: 700 } });
    expect(state).toBe('scheduled');
    await house.until(id, (job) => job.state === 'succeeded');
    const run = runs.find((one) => one.id === id);
    expect((run?.at ?? 0) - before).toBeGreaterThanOrEqual(690);
  });

  test(`${engine}: a high priority job overtakes the low ones that wait`, async () => {
    const low = Array.from({ length: 60 }, (_, index) =>
      house.enqueue('play', { name: `low ${index}` }, { options: { priority: 'low' } }),
    );
    await Promise.all(low);
    const high = await house.enqueue('play', { name: 'high' }, { options: { priority: 'high' } });
    await house.until(high.id, (job) => job.state === 'succeeded');
    await Promise.all(
      (await Promise.all(low)).map(({ id }) => house.until(id, (job) => job.state === 'succeeded')),
    );
    expect(runs.findIndex((run) => run.id === high.id)).toBeLessThan(runs.length - 1);
  });

  test(`${engine}: adding twice and delivering late is harmless`, async () => {
    const { id } = await house.enqueue('play', { name: 'twice' });
    const row = {
      id,
      generation: 1,
      kind: 'play',
      queue: 'play',
      priority: 5,
      delayMs: 0,
      tenant: 'test',
      summary: '',
      attempt: 1,
    };
    house.relay.nudge([row, row]);
    await house.until(id, (job) => job.state === 'succeeded');
    house.relay.nudge([row]);
    await house.relay.idle();
    const last = await house.enqueue('play', { name: 'after' });
    await house.until(last.id, (job) => job.state === 'succeeded');
    expect(runs.filter((run) => run.id === id)).toHaveLength(1);
  });

  test(`${engine}: children are born with the outcome and the waiter runs once when all have ended`, async () => {
    const { id } = await house.enqueue('play', { children: 12 });
    await house.until(id, (job) => job.state === 'succeeded');
    const family = await house.db.prisma.job.findMany({ where: { parentId: id } });
    expect(family).toHaveLength(13);
    const waiter = family.find((job) => job.kind === 'rest');
    const done = await house.until(waiter?.id ?? '', (job) => job.state === 'succeeded');
    expect(done).toMatchObject({ attemptNo: 1, openChildren: 0 });
    const late = await house.db.prisma.job.findMany({
      where: { waiterId: done.id, finishedAt: { gt: done.startedAt ?? new Date(0) } },
    });
    expect(late).toEqual([]);
  });

  test(`${engine}: progress is written and shown`, async () => {
    const { id } = await house.enqueue('play', { progress: true });
    expect(await house.until(id, (job) => job.state === 'succeeded')).toMatchObject({ progress: 100 });
  });
}
