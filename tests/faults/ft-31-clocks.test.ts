// Clocks that leap. A work process whose clock is wrong says so and takes nothing until it is right; its neighbour does all the
// work. An API whose clock is wrong judges links and points of time by the ledger's. Nothing begins early, nothing twice.
import { expect } from '@jest/globals';
import { storeArtifact } from '../../ledger/artifacts.ts';
import { signLink } from '../../ledger/links.ts';
import { newId } from '../../shared/ids.ts';
import { eventually } from '../support/house.ts';
import { readiness } from './kit/census.ts';
import type { EnqueueOptions, Wish } from './kit/client.ts';
import type { Member } from './kit/fleet.ts';
import { begunTwice } from './kit/loss.ts';
import type { Clock } from './kit/plan.ts';
import { faultRow } from './kit/row.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

/** How far the clocks of the work process and of the API are ahead, in ms. */
const leaps = [
  { workMs: 3_600_000, apiMs: -300_000 },
  { workMs: -3_600_000, apiMs: 300_000 },
  { workMs: 60_000, apiMs: -300_000 },
  { workMs: -60_000, apiMs: 300_000 },
] as const;
const minuteMs = 60_000;
/** A begin asked of the ledger before the hold may be written a moment after it. */
const underWayMs = 500;

const countOpen = {
  name: 'ft31_open',
  text: 'SELECT count(*)::int AS count FROM job WHERE id = ANY($1::uuid[]) AND finished_at IS NULL',
};
const readBegins = {
  name: 'ft31_begins',
  text: `SELECT j.id, w.pid, extract(epoch FROM a.started_at)::float8 * 1000 AS at,
      extract(epoch FROM j.run_at)::float8 * 1000 AS due_at, extract(epoch FROM j.run_at - j.created_at)::float8 * 1000 AS delay_ms
    FROM attempt a JOIN job j ON j.id = a.job_id JOIN worker w ON w.id = a.worker_id`,
};

interface Begin {
  id: string;
  pid: number;
  /** Milliseconds since 1970, by the ledger. */
  at: number;
  due_at: number;
  delay_ms: number;
}

const begins = ({ db }: World): Promise<Begin[]> => db.run<Begin>(readBegins, []);

faultRow(
  {
    ft: '31',
    tier: 'P',
    name: 'a work process with a wrong clock takes no jobs, an API goes by the ledger’s, and nothing begins early or twice',
    timers: calmLeases,
  },
  async (world) => {
    const [apiClock, workClock] = [world.clock('api'), world.clock('work')];
    await world.start('api', { env: apiClock.env });
    const [skewed, healthy] = await Promise.all([
      world.start('work', { env: workClock.env }),
      world.start('work'),
    ]);
    const artifactId = await addArtifact(world);
    const later = await enqueueLater(world);
    const windows: Window[] = [];
    for (const { workMs, apiMs } of leaps) {
      apiClock.set(apiMs);
      const window = await leap(world, { clock: workClock, aheadMs: workMs, skewed, healthy });
      await eventually("the API's clock has leapt", () => apiClock.shown() === apiMs);
      await judgesByTheLedger(world, artifactId);
      windows.push(await putRight(world, workClock, skewed, window));
    }
    await world.settled(30_000);
    await checkBegins(world, later, { windows, pid: skewed.pid });
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    expect([counts.reruns, counts.extraCalls, await begunTwice(world)]).toEqual([0, 0, []]);
    const jobs = Object.values(await world.states()).reduce((sum, count) => sum + count, 0);
    return { ...counts, recoveryMs: Math.max(...windows.map(({ backMs }) => backMs)), jobs };
  },
);

/** While the work process called itself unready; and how long it then took, from the right clock to a job of its own. */
interface Window {
  from: number;
  to: number;
  backMs: number;
}

async function leap(
  world: World,
  given: { clock: Clock; aheadMs: number; skewed: Member; healthy: Member },
): Promise<number> {
  const { clock, aheadMs, skewed, healthy } = given;
  clock.set(aheadMs);
  const heldBy = async (): Promise<string> => (await readiness(skewed.url)).body;
  // I10: within ten seconds, and the reason is named.
  await eventually(
    'it says that its clock is wrong',
    async () => /"held":\[.*"clock"/.test(await heldBy()),
    10_000,
  );
  const from = Date.now();
  const sent = await world.caller.enqueueMany(40, some);
  const ids = idsOf(sent);
  await untilEnded(world, ids);
  const own = (await begins(world)).filter(({ id }) => ids.includes(id));
  expect(new Set(own.map(({ pid }) => pid))).toEqual(new Set([healthy.pid]));
  expect(new Set(own.map(({ delay_ms }) => delay_ms))).toEqual(new Set([0, 500]));
  return from;
}

/** Some pay; one in eight is due a little later. */
function some(index: number): [kind: string, payload: object, options: EnqueueOptions] {
  const job: [string, object] =
    index % 3 === 0 ? ['pay', { steps: 1, callMs: 20, canary }] : ['sleep', { ms: 20 }];
  return [...job, index % 8 === 0 ? { options: { delayMs: 500 } } : {}];
}

/** The clock is right again: it is ready within ten seconds, and has jobs. */
async function putRight(world: World, clock: Clock, skewed: Member, from: number): Promise<Window> {
  const to = Date.now();
  clock.set(0);
  await eventually('it is ready', async () => (await readiness(skewed.url)).status === 200, 10_000);
  const hasBegun = async (): Promise<boolean> =>
    (await begins(world)).some(({ pid, at }) => pid === skewed.pid && at > to);
  await eventually('it takes jobs', async () => {
    await untilEnded(world, idsOf(await world.caller.enqueueMany(10, () => ['sleep', { ms: 50 }])));
    return hasBegun();
  });
  return { from, to, backMs: Date.now() - to };
}

/** Twenty, two at each moment: as people write it an hour before and an hour after summer time ends. */
function enqueueLater({ caller }: World): Promise<Wish[]> {
  const start = Date.now() + 1_000;
  return caller.enqueueMany(20, (index) => {
    const runAt = inZone(start + Math.floor(index / 2) * 1_800, index % 2 === 0 ? 1 : 2);
    return ['sleep', { ms: 10 }, { options: { runAt } }];
  });
}

function inZone(atMs: number, hours: number): string {
  return new Date(atMs + hours * 3_600_000).toISOString().replace('Z', `+0${hours}:00`);
}

async function addArtifact({ db }: World): Promise<string> {
  const owner = { jobId: newId(), tenant: 'faults' };
  const artifact = { bytes: Buffer.from('a page'), contentType: 'text/plain' };
  return (await db.prisma.$transaction((tx) => storeArtifact(tx, owner, artifact))).artifactId;
}

/** With a clock five minutes off, both of each pair would come out the same. */
async function judgesByTheLedger(world: World, id: string): Promise<void> {
  const { env, caller } = world;
  const open = async (leftMs: number): Promise<string> => {
    const link = signLink(env['STORYTIME_LINK_SECRET'] ?? '', {
      id,
      expiresAt: new Date(Date.now() + leftMs),
    });
    const answer = await fetch(`http://127.0.0.1:${env['STORYTIME_API_PORT']}${link}`);
    return answer.ok ? answer.text() : ((await answer.json()) as { code: string }).code;
  };
  expect([await open(minuteMs), await open(-minuteMs)]).toEqual(['a page', 'link_expired']);
  // A moment of up to five minutes ago means now; an older one is a mistake of the caller's.
  const send = (agoMs: number) => {
    const options = { runAt: new Date(Date.now() - agoMs).toISOString() };
    return caller.send(`ago-${newId()}`, { kind: 'sleep', payload: { ms: 10 }, options });
  };
  expect([await send(4 * minuteMs), await send(6 * minuteMs)]).toMatchObject([
    { status: 202 },
    { status: 422, code: 'validation_failed' },
  ]);
}

async function checkBegins(
  world: World,
  later: readonly Wish[],
  { windows, pid }: { windows: readonly Window[]; pid: number },
): Promise<void> {
  const all = await begins(world);
  const taken = all.filter(
    (begin) =>
      begin.pid === pid && windows.some(({ from, to }) => begin.at > from + underWayMs && begin.at < to),
  );
  expect(taken).toEqual([]);
  expect(all.filter(({ at, due_at }) => at < due_at - 1_000)).toEqual([]); // begin allows clocks a second
  const due = later.map(({ jobId }) => all.find(({ id }) => id === jobId));
  expect(new Set(due.map((begin) => begin?.due_at)).size).toBe(later.length / 2);
  // The least of the leaps would make one a minute late.
  expect(due.filter((begin) => begin === undefined || begin.at > begin.due_at + 10_000)).toEqual([]);
}

function idsOf(wishes: readonly Wish[]): string[] {
  return wishes.flatMap(({ jobId }) => jobId ?? []);
}

async function untilEnded({ db }: World, ids: readonly string[]): Promise<void> {
  const left = async (): Promise<number> =>
    (await db.run<{ count: number }>(countOpen, [ids]))[0]?.count ?? -1;
  await eventually('these jobs have ended', async () => (await left()) === 0, 30_000);
}
