// A provider that answers 500, resets connections, accepts and then says nothing, or drips its answer: each call ends at its
// limit, the gate closes instead of a storm, the connections are given back, and every job ends well.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { stepOf } from '../../ledger/provider-minutes.ts';
import { eventually } from '../support/house.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { takeCensus } from './kit/census.ts';
import { faultRow } from './kit/row.ts';
import type { FaultSandbox } from './kit/sandbox.ts';
import { calmLeases, canary, type World } from './kit/world.ts';

const perMode = 100;
const callLimitMs = 1_000;
/** How long a call waits for its turn, once few are let through. */
const placeMs = 500;
/** Two processes, ten jobs at once in each. */
const processes = 2;
const atOnce = processes * 10;
// A lease long enough that a busy machine does not lose it: this row is about calls.
const timers = {
  ...calmLeases,
  STORYTIME_PROVIDER_TIMEOUT_MS: String(callLimitMs),
  STORYTIME_GATE_MS: '200',
};

interface Mode {
  name: string;
  begin: (sandbox: FaultSandbox, proxy: TestProxy) => Promise<void> | void;
  /** How long it lasts. */
  ms: number;
  /** Quick tries of one call. */
  tries: number;
  /** Calls that failed for good and so closed the breaker of one process. */
  openers: number;
  /** Calls of now are held: how they end is the product's own doing. */
  silent?: true;
}

const modes: readonly Mode[] = [
  {
    name: '500',
    begin: (sandbox) => sandbox.fault(of({ kind: 'status', status: 500 })),
    ms: 5_000,
    tries: 3,
    openers: 2,
  },
  {
    name: 'reset',
    begin: (sandbox) => sandbox.fault(of({ kind: 'reset', billed: true })),
    ms: 1_500,
    tries: 1,
    openers: 4,
  },
  {
    name: 'half open',
    begin: (_, proxy) => proxy.spoil({ how: 'blackhole' }, 'down'),
    ms: 1_500,
    tries: 1,
    openers: 4,
    silent: true,
  },
  {
    name: 'drip',
    begin: (_, proxy) => proxy.spoil({ how: 'throttle', bytesPerSecond: 40 }, 'down'),
    ms: 1_500,
    tries: 1,
    openers: 4,
    silent: true,
  },
];

function of(fault: object): object {
  return { provider: 'gemini', fault };
}

// What a mode's jobs were made of: their longest attempt that did not succeed, and what all of them burned.
const readMode = {
  name: 'ft24_mode',
  text: `SELECT (SELECT sum(failures)::int FROM job WHERE id = ANY($1::uuid[])) AS failures,
      max(extract(epoch FROM ended_at - started_at) * 1000)::float8 AS job_ms
    FROM attempt WHERE job_id = ANY($1::uuid[]) AND outcome <> 'succeeded'`,
};
// Calls of any mode that took longer than `$1`, a step of their durations.
const readLong = {
  name: 'ft24_long',
  text: `SELECT sum(n)::int AS count FROM provider_minute m, unnest(m.buckets) WITH ORDINALITY AS u(n, step)
    WHERE m.provider = 'gemini' AND step > $1`,
};

faultRow(
  {
    ft: '24',
    tier: 'P',
    name: 'errors, resets, silence and a dripping body hold no job longer than a call may take, and no connection',
    engines: ['redis'],
    timers,
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    const proxy = await startProxy(sandbox.url);
    try {
      world.env['STORYTIME_SANDBOX_URL'] = proxy.url;
      await world.start('api');
      await Promise.all([world.start('work'), world.start('work')]);
      await tell(world, 2 * atOnce);
      await world.settled(20_000);
      const before = await takeCensus(world.members, world.db);
      let recoveryMs = 0;
      for (const mode of modes)
        recoveryMs = Math.max(recoveryMs, await suffer(world, { sandbox, proxy }, mode));
      await expectShort(world);
      // A pool keeps idle connections for some seconds.
      await eventually('what was open is given back', async () => {
        const after = await takeCensus(world.members, world.db);
        return Object.entries(after.members).every(
          ([name, { files }]) => files <= (before.members[name]?.files ?? 0) * 1.1 + 10,
        );
      });
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
      return { ...counts, recoveryMs, jobs: modes.length * perMode + 2 * atOnce };
    } finally {
      await proxy.close();
    }
  },
);

async function tell(world: World, count: number): Promise<string[]> {
  const wishes = await world.caller.enqueueMany(count, () => ['tell', { canary }]);
  return wishes.flatMap(({ jobId }) => jobId ?? []);
}

/** One mode from its begin to the last job's end; gives the milliseconds that took once it was over. */
async function suffer(
  world: World,
  { sandbox, proxy }: { sandbox: FaultSandbox; proxy: TestProxy },
  mode: Mode,
): Promise<number> {
  const before = (await sandbox.calls('gemini')).length;
  await mode.begin(sandbox, proxy);
  const [jobs] = await Promise.all([tell(world, perMode), delay(mode.ms)]);
  if (mode.silent === true) {
    // Nothing but the limit of a call ends it: the probe of now is the last that may be seen.
    await eventually('silent connections are closed', () => proxy.starved() === 0, callLimitMs + 2_000);
  }
  const calls = (await sandbox.calls('gemini')).length - before;
  await sandbox.clearFaults();
  proxy.restore();
  const recoveryMs = await world.settled(30_000);
  expect(calls).toBeGreaterThan(0);
  expect({ mode: mode.name, calls, storm: calls > atOnce * mode.tries + 10 }).toMatchObject({ storm: false });
  await eventually('connections are given back', () => proxy.connections() <= atOnce + 4, 5_000);
  await expectMode(world, mode, jobs);
  return recoveryMs;
}

/**
 * No job of a mode was held longer than its tries and the pauses between them may take, its wait for a turn, and a second to
 * notice; and no more of its calls cost an attempt than it took to close the breakers.
 */
async function expectMode({ db }: World, { name, tries, openers }: Mode, jobs: string[]): Promise<void> {
  const [row] = await db.run<{ failures: number; job_ms: number }>(readMode, [jobs]);
  const { failures = -1, job_ms: jobMs = Infinity } = row ?? {};
  process.stdout.write(`${name}: ${failures} failures, longest attempt ${Math.round(jobMs)} ms\n`);
  const pausesMs = [0, 0, 2_000, 6_000][tries] ?? 0;
  expect(jobMs).toBeLessThan(placeMs + tries * callLimitMs + pausesMs + 1_000);
  expect(failures).toBeLessThanOrEqual(processes * openers);
}

/** No call took longer than its limit and a second to notice it. */
async function expectShort({ db }: World): Promise<void> {
  const steps = stepOf(callLimitMs + 2_000) + 1;
  expect(await db.run(readLong, [steps])).toEqual([{ count: 0 }]);
}
