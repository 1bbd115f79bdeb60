// Five thousand low jobs behind high ones that never cease: some hundred of these always stand in line, more than the two work
// processes have hands for. The oldest low ones have their turn within the bound all the same, oldest first, and share the turns
// with the high ones. How long the last of such a backlog waits is a matter of how fast it can be served, not of whose turn it is.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { raisedAtOnce } from '../../../ledger/ageing.ts';
import { eventually } from '../../support/house.ts';
import { faultRow } from '../kit/row.ts';
import { calmLeases, type World } from '../kit/world.ts';

const lowJobs = 5_000;
const inLine = 150;
const jobMs = 150;
/** In 0.4 of it a busy machine, too, serves the 350 that stand in line: that is what the promise asks of the load. */
const boundMs = 30_000;
/** Of two work processes. */
const slots = 20;
/** So many low ones have begun before the high ones cease. */
const underPressure = 4 * raisedAtOnce;

const countHigh = {
  name: 'ft42_high',
  text: `SELECT count(*)::int AS count FROM job WHERE state = 'waiting' AND priority = 1 AND aged_from IS NULL`,
};
const countBegun = {
  name: 'ft42_begun',
  text: `SELECT count(*)::int AS count FROM job WHERE started_at IS NOT NULL AND coalesce(aged_from, priority) = 10`,
};
/** All in the same second, so that none is served before the high ones stand in line; each with an age of its own. */
const makeDue = {
  name: 'ft42_make_due',
  text: `UPDATE job j SET run_at = clock_timestamp() + o.place * interval '0.2 ms', generation = j.generation + 1, dispatched_at = NULL,
      claimed_until = clock_timestamp()
    FROM (SELECT id, row_number() OVER (ORDER BY run_at, id) AS place FROM job WHERE priority = 10) o WHERE j.id = o.id`,
};
const readTurns = {
  name: 'ft42_turns',
  text: `SELECT coalesce(aged_from, priority) AS priority, aged_from IS NOT NULL AS raised,
      extract(epoch FROM started_at)::float8 * 1000 AS at, extract(epoch FROM started_at - run_at)::float8 * 1000 AS wait_ms
    FROM job ORDER BY run_at, id`,
};

interface Turn {
  priority: number;
  raised: boolean;
  /** Milliseconds since 1970. */
  at: number;
  wait_ms: number;
}

faultRow(
  {
    ft: '42',
    tier: 'N',
    name: 'high jobs never cease, and the oldest of 5,000 low ones have their turn within the bound',
    timers: { ...calmLeases, STORYTIME_AGEING_MS: String(boundMs) },
    timeoutMs: 400_000,
  },
  async (world) => {
    await world.start('api');
    await world.caller.enqueueMany(lowJobs, () => sleep('low', { delayMs: 3_600_000 }));
    await Promise.all([world.start('work'), world.start('work')]);
    await whilePressed(world, async () => {
      await eventually('the line stands', async () => (await count(world, countHigh)) > inLine - slots);
      await world.db.run(makeDue, []);
      const pressed = async (): Promise<boolean> => (await count(world, countBegun)) >= underPressure;
      await eventually('low ones have had their turn', pressed, boundMs * 4);
    });
    const ceasedAt = Date.now();
    await world.settled(180_000);
    const recoveryMs = await checkTurns(world, ceasedAt);
    const counts = await world.check(['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: world.caller.wishes.length };
  },
);

function sleep(priority: 'high' | 'low', more: object = {}): [string, object, { options: object }] {
  return ['sleep', { ms: jobMs }, { options: { priority, ...more } }];
}

/** Does it while the line of high jobs is filled up as fast as it is served. */
async function whilePressed(world: World, work: () => Promise<void>): Promise<void> {
  let ended = false;
  const fill = async (): Promise<void> => {
    while (!ended) {
      const missing = inLine - (await count(world, countHigh));
      if (missing > 0) await world.caller.enqueueMany(missing, () => sleep('high'));
      await delay(50);
    }
  };
  await Promise.all([work().finally(() => (ended = true)), fill()]);
}

async function count({ db }: World, query: { name: string; text: string }): Promise<number> {
  return (await db.run<{ count: number }>(query, []))[0]?.count ?? 0;
}

/** Resolves with the longest wait of those to whom the bound is promised. */
async function checkTurns({ db }: World, ceasedAt: number): Promise<number> {
  const turns = await db.run<Turn>(readTurns, []);
  const low = turns.filter(({ priority }) => priority === 10);
  const high = turns.filter(({ priority }) => priority === 1);
  const oldest = low.slice(0, raisedAtOnce);
  const first = Math.min(...oldest.filter(({ raised }) => raised).map(({ at }) => at));
  const shared = [low, high].map((some) => some.filter(({ at }) => at > first && at < ceasedAt).length);
  expect(oldest.filter(({ raised }) => raised).length).toBeGreaterThan(raisedAtOnce / 2); // nothing else brought them on
  expect(longest(oldest)).toBeLessThan(boundMs);
  expect(furthestJump(low)).toBeLessThanOrEqual(raisedAtOnce + slots);
  // The high ones have theirs in time for the bound to be kept, and the raised ones, of which more stand in line, the most.
  expect(longest(high)).toBeLessThan(boundMs * 0.4);
  expect(shared[0]).toBeGreaterThan(shared[1] ?? Infinity);
  return longest(oldest);
}

function longest(turns: readonly Turn[]): number {
  return Math.max(...turns.map(({ wait_ms }) => wait_ms));
}

/** How many older ones, given in order of age, still waited when one of them began: the most of all. */
function furthestJump(turns: readonly Turn[]): number {
  const ages = new Map(turns.map((turn, age) => [turn, age]));
  const begun = turns.toSorted((one, other) => one.at - other.at);
  return Math.max(...begun.map((turn, place) => (ages.get(turn) ?? 0) - place));
}
