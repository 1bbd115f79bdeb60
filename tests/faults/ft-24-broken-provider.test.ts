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
const atOnce = 20;
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
}

const modes: readonly Mode[] = [
  {
    name: '500',
    begin: (sandbox) => sandbox.fault(of({ kind: 'status', status: 500 })),
    ms: 5_000,
    tries: 3,
  },
  {
    name: 'reset',
    begin: (sandbox) => sandbox.fault(of({ kind: 'reset', billed: true })),
    ms: 1_500,
    tries: 1,
  },
  { name: 'half open', begin: (_, proxy) => proxy.spoil({ how: 'blackhole' }, 'down'), ms: 1_500, tries: 1 },
  {
    name: 'drip',
    begin: (_, proxy) => proxy.spoil({ how: 'throttle', bytesPerSecond: 40 }, 'down'),
    ms: 1_500,
    tries: 1,
  },
];

function of(fault: object): object {
  return { provider: 'gemini', fault };
}

const readTimes = {
  name: 'ft24_times',
  text: `SELECT (max(extract(epoch FROM ended_at - started_at)) * 1000)::float8 AS job_ms,
      (SELECT sum(n)::int FROM provider_minute m, unnest(m.buckets) WITH ORDINALITY AS u(n, step)
        WHERE m.provider = 'gemini' AND step > $1) AS long_calls
    FROM attempt WHERE code = 'unknown_outcome'`,
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
      const after = await takeCensus(world.members, world.db);
      for (const [name, { files }] of Object.entries(after.members))
        expect(files).toBeLessThanOrEqual((before.members[name]?.files ?? 0) * 1.1 + 10);
      const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
      return { ...counts, recoveryMs, jobs: modes.length * perMode + 2 * atOnce };
    } finally {
      await proxy.close();
    }
  },
);

async function tell(world: World, count: number): Promise<void> {
  await world.caller.enqueueMany(count, () => ['tell', { canary }]);
}

/** One mode from its begin to the last job's end; gives the milliseconds that took once it was over. */
async function suffer(
  world: World,
  { sandbox, proxy }: { sandbox: FaultSandbox; proxy: TestProxy },
  mode: Mode,
): Promise<number> {
  const before = (await sandbox.calls('gemini')).length;
  await mode.begin(sandbox, proxy);
  await Promise.all([tell(world, perMode), delay(mode.ms)]);
  const calls = (await sandbox.calls('gemini')).length - before;
  await sandbox.clearFaults();
  proxy.restore();
  const recoveryMs = await world.settled(30_000);
  expect({ mode: mode.name, calls, storm: calls > atOnce * mode.tries + 10 }).toMatchObject({ storm: false });
  await eventually('connections are given back', () => proxy.connections() <= atOnce + 4, 5_000);
  return recoveryMs;
}

/** No call took longer than its limit and a second to notice it; nor did its job, with its wait for a turn. */
async function expectShort({ db }: World): Promise<void> {
  const steps = stepOf(callLimitMs + 2_000) + 1;
  const [row] = await db.run<{ job_ms: number; long_calls: number }>(readTimes, [steps]);
  expect(row).toEqual({ job_ms: expect.any(Number), long_calls: 0 });
  expect(row?.job_ms).toBeLessThan(callLimitMs + placeMs + 1_000);
}
