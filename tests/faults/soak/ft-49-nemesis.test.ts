// Everything at once, by chance, every three seconds for ten minutes (FAULTS_MINUTES): killed and stopped workers and APIs, a Redis
// that dies, empties, stands still, a PostgreSQL that dies, links that reset, hold and lose, a provider on its bad day. The seed is
// printed; the same seed plays the same faults in the same order.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startProxy, type TestProxy } from '../../support/proxy.ts';
import type { Meeting } from '../kit/bill.ts';
import { askRedis } from '../kit/census.ts';
import type { Member } from '../kit/fleet.ts';
import { seeded } from '../kit/plan.ts';
import { longestRescue } from '../kit/recovery.ts';
import { faultRow } from '../kit/row.ts';
import { canary, type World } from '../kit/world.ts';

const minutes = Number(process.env['FAULTS_MINUTES'] ?? 10);
const everyMs = 3_000;
/** As the fault table asks for ten minutes. */
const jobs = Math.round(500 * minutes);

interface Stage {
  world: World;
  api: Member;
  workers: readonly Member[];
  ledger: TestProxy;
  engine: TestProxy | undefined;
}

/** A fault, from its beginning to its end. */
type Act = (stage: Stage) => Promise<void>;

faultRow(
  {
    ft: '49',
    tier: 'S',
    name: 'ten minutes of every fault by chance lose nothing, end nothing twice, and pay only what was unknown twice',
    ownPostgres: true,
    redisArgs: ['--appendonly', 'yes', '--appendfsync', 'everysec'],
    timeoutMs: minutes * 60_000 + 300_000,
  },
  async (world) => {
    const stage = await setUp(world);
    const end = performance.now() + minutes * 60_000;
    const flow = world.caller.enqueueMany(jobs, (index) => jobOf(world, index), {
      perSecond: jobs / (minutes * 60),
    });
    const chance = seeded(world.seed);
    const played: string[] = [];
    while (performance.now() < end) {
      const [name, act] = pick(world, chance);
      played.push(name);
      process.stdout.write(`FT-49 ${world.engine}: ${name}\n`);
      await act(stage);
      await delay(everyMs);
    }
    await flow;
    const recoveryMs = await world.settled(180_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12'], {
      cutsAllowed: true,
      finals: ['succeeded', 'dead'],
    });
    const dead = await deaths(world);
    expect(dead.length).toBeLessThan(jobs / 20); // a provider that fails three times in a row is a failure, told as such
    const provider = new Set(['unavailable', 'unknown_outcome', 'timeout']);
    expect(dead.filter((code) => !provider.has(code))).toEqual([]);
    expect(await longestRescue(world.members, world.db)).toBeLessThan(30_000);
    expect(played.length).toBeGreaterThan(5 * minutes);
    await Promise.all([stage.ledger.close(), stage.engine?.close()]);
    return { ...counts, recoveryMs, jobs };
  },
);

/** Codes of the jobs that are dead. */
async function deaths({ db }: World): Promise<string[]> {
  const rows = await db.prisma.job.findMany({ where: { state: 'dead' }, select: { errorCode: true } });
  return rows.map(({ errorCode }) => errorCode ?? 'none');
}

async function setUp(world: World): Promise<Stage> {
  const ledger = await startProxy(world.databaseUrl);
  const engine = world.redis === undefined ? undefined : await startProxy(world.redis.url);
  world.env['DATABASE_URL'] = ledger.url;
  if (engine !== undefined) world.env['REDIS_URL'] = engine.url;
  const api = await world.start('api', { supervised: true });
  const workers = await Promise.all([1, 2, 3].map(() => world.start('work', { supervised: true })));
  return { world, api, workers, ledger, engine };
}

function jobOf(world: World, index: number): [kind: string, payload: object] {
  if (index % 3 === 0) return ['pay', { steps: 3, callMs: 20 + Math.floor(world.random() * 200), canary }];
  if (index % 50 === 1) return ['children', { count: 3, ms: 100 }];
  return ['quick', { ms: Math.floor(world.random() * 100), canary }];
}

const acts: Record<string, Act> = {
  'a worker is killed': ({ world, workers }) => oneOf(world, workers).kill(),
  'a worker is stopped and started (deploy)': async ({ world, workers }) => {
    const worker = oneOf(world, workers);
    await worker.term();
    await worker.start();
  },
  'a worker stands still for longer than its lease': async ({ world, workers }) => {
    const worker = oneOf(world, workers);
    worker.pause();
    await delay(4_000);
    worker.resume();
  },
  'the API is killed': ({ api }) => api.kill(),
  'PostgreSQL is stopped immediately': async ({ world }) => {
    await world.postgres?.stopImmediately();
    await delay(world.random() * 4_000);
    await world.postgres?.start();
  },
  'connections to the ledger are reset': async ({ ledger }) => ledger.reset(),
  'the ledger is silent': async ({ world, ledger }) => {
    ledger.freeze();
    await delay(world.random() * 4_000);
    ledger.restore();
  },
  'answers of the ledger get lost': async ({ world, ledger }) => {
    ledger.loseAnswers((request) => request.includes('COMMIT') && world.random() < 0.2);
    await delay(3_000);
    ledger.restore();
  },
  'the provider refuses': ({ world }) => badDay(world, { how: 'refuse', status: 503 }),
  'the provider asks to wait': ({ world }) => badDay(world, { how: 'refuse', status: 429, retryAfterS: 1 }),
  'the provider cuts what it was paid for': ({ world }) => badDay(world, { how: 'cut' }),
  'the provider takes the money and never answers': ({ world }) => badDay(world, { how: 'hang' }),
};

const redisActs: Record<string, Act> = {
  'Redis is killed': async ({ world }) => {
    await world.redis?.kill();
    await delay(world.random() * 4_000);
    await world.redis?.restart();
  },
  'Redis loses everything': async ({ world }) => void (await askRedis(world.redis?.port ?? 0, 'FLUSHALL')),
  'Redis stands still': async ({ world }) => {
    world.redis?.pause();
    await delay(world.random() * 4_000);
    world.redis?.resume();
  },
  'connections to Redis are reset': async ({ engine }) => engine?.reset(),
  'answers of Redis get lost': async ({ world, engine }) => {
    engine?.loseAnswers((request) => request.includes('evalsha') && world.random() < 0.2);
    await delay(3_000);
    engine?.restore();
  },
};

/** A chance of its own: how many calls the bill met in between must not change what is played. */
function pick({ engine }: World, chance: () => number): [string, Act] {
  return oneOf({ random: chance }, Object.entries(engine === 'redis' ? { ...acts, ...redisActs } : acts));
}

function oneOf<T>(world: Pick<World, 'random'>, list: readonly T[]): T {
  const chosen = list[Math.floor(world.random() * list.length)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}

/** Half of its calls for two seconds. */
async function badDay(world: World, meeting: Meeting): Promise<void> {
  world.bill.meet(() => (world.random() < 0.5 ? meeting : { how: 'answer' }));
  await delay(2_000);
  world.bill.meet(() => ({ how: 'answer' }));
}
