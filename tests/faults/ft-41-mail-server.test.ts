// A mail server's bad day: away, greylisting, refusing an address for good, and taking a mail without saying so. A mail is sent
// again only where it may not have been taken, and then under the Message-ID it had, so that a receiver can drop the copy. While
// the server is away mails wait, and none burns an attempt but those that found it out.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { watchGate } from './kit/gate.ts';
import { faultRow } from './kit/row.ts';
import type { FaultSandbox } from './kit/sandbox.ts';
import { calmLeases, type World } from './kit/world.ts';

const each = 40;
/** One process sends five mails a second, as a mail server likes it: several together are the row's speed. */
const processes = 3;
/** Calls that failed in all their quick tries and so closed the breaker of one process. */
const openers = 2;

const readAway = {
  name: 'ft41_away',
  text: `SELECT count(DISTINCT job_id)::int AS tried, count(*) FILTER (WHERE message NOT LIKE '%gate is closed%')::int AS calls
    FROM attempt WHERE outcome <> 'succeeded'`,
};
const readBurned = { name: 'ft41_burned', text: 'SELECT sum(failures)::int AS count FROM job' };

faultRow(
  {
    ft: '41',
    tier: 'P',
    engines: ['redis'],
    name: 'a mail server that is away costs no mail, and no attempt but those that found it out',
    timers: { ...calmLeases, STORYTIME_GATE_MS: '500' },
  },
  async (world) => {
    const sandbox = await startParts(world);
    await write(world, 'first');
    await world.settled(40_000);
    const gate = watchGate(world, 'smtp');
    await sandbox.member.kill();
    await write(world, 'away');
    await eventually('every mail has found it away', async () => (await away(world)).tried === each, 40_000);
    await eventually('its gate is closed', async () => (await gate.now()) !== 'open');
    const { calls } = await away(world);
    await sandbox.member.start();
    const recoveryMs = await delivered(world);

    expect(gate.seen()).toContain('closed: unavailable');
    expect(await gate.now()).toBe('open');
    const [{ count } = { count: Infinity }] = await world.db.run<{ count: number }>(readBurned, []);
    process.stdout.write(`${count} failures, ${calls} attempts that called\n`);
    expect(count).toBeLessThanOrEqual(processes * openers);
    expect(calls).toBeLessThanOrEqual(each + processes);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 2 * each };
  },
);

faultRow(
  {
    ft: '41',
    tier: 'P',
    engines: ['redis'],
    name: 'a mail server that is busy, strict or forgetful costs no mail, and one copy at most for each silence',
    // Each mail meets its fault once, and nobody keeps it from that.
    timers: { ...calmLeases, STORYTIME_BREAKER: 'off' },
  },
  async (world) => {
    const sandbox = await startParts(world);
    await write(world, 'normal');
    await world.settled(40_000);

    await fault(sandbox, { code: 451, at: 'rcpt' });
    await write(world, 'greylisted');
    await reached(world, 'snoozed');
    await delivered(world);

    await fault(sandbox, { code: 550, at: 'rcpt' });
    await write(world, 'unknown');
    await reached(world, 'dead');

    await fault(sandbox, { code: 451, at: 'data', drop: true });
    await write(world, 'forgetful');
    await reached(world, 'retrying');
    const recoveryMs = await delivered(world);

    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12'], {
      finals: ['succeeded', 'dead'],
    });
    expect(await world.states()).toEqual({ succeeded: 3 * each, dead: each });
    expect(await failures(world)).toEqual({
      bad_input: [1, 1],
      rate_limited: [0, 0],
      unknown_outcome: [1, 1],
    });
    await expectCopies(sandbox);
    return { ...counts, recoveryMs, jobs: 4 * each };
  },
);

async function startParts(world: World): Promise<FaultSandbox> {
  const sandbox = await world.startSandbox();
  await world.start('api', { kinds: 'storytime' });
  await Promise.all(Array.from({ length: processes }, () => world.start('work', { kinds: 'storytime' })));
  return sandbox;
}

/** Each mail once, but for those of the forgetful server: twice, under one Message-ID. */
async function expectCopies(sandbox: FaultSandbox): Promise<void> {
  const mails = (await sandbox.mails()).map(({ messageId, to }) => `${to.join()} ${messageId}`);
  const copies = mails.filter((mail) => mail.startsWith('forgetful'));
  expect([mails.length, new Set(mails).size]).toEqual([4 * each, 3 * each]);
  expect([copies.length, new Set(copies).size]).toEqual([2 * each, each]);
}

async function away({ db }: World): Promise<{ tried: number; calls: number }> {
  const [row] = await db.run<{ tried: number; calls: number }>(readAway, []);
  return row ?? { tried: 0, calls: 0 };
}

async function write({ caller }: World, name: string): Promise<void> {
  const link = 'https://storytime.example/start';
  await caller.enqueueMany(each, (index) => [
    'send-email',
    { to: `${name}-${index}@example.com`, template: 'welcome', variables: { name: 'Ottilie', link } },
  ]);
}

async function fault(sandbox: FaultSandbox, given: object): Promise<void> {
  await sandbox.fault({ provider: 'smtp', times: each, fault: { kind: 'smtp', ...given } });
}

async function reached(world: World, state: string): Promise<void> {
  await eventually(`all mails are ${state}`, async () => (await world.states())[state] === each, 40_000);
}

/** Milliseconds until nothing waits any more. */
async function delivered(world: World): Promise<number> {
  const start = performance.now();
  await eventually(
    'every mail is confirmed',
    async () => {
      await world.hasten();
      const { succeeded = 0, dead = 0, ...open } = await world.states();
      return succeeded + dead > 0 && Object.keys(open).length === 0;
    },
    40_000,
  );
  return performance.now() - start;
}

/** Code of an attempt -> the fewest and the most failures that its job has counted. */
async function failures({ db }: World): Promise<Record<string, [number, number]>> {
  const statement = {
    name: 'row_failures',
    text: `SELECT a.code, min(j.failures)::int AS least, max(j.failures)::int AS most
      FROM attempt a JOIN job j ON j.id = a.job_id WHERE a.code IS NOT NULL GROUP BY a.code`,
  };
  const rows = await db.run<{ code: string; least: number; most: number }>(statement, []);
  return Object.fromEntries(rows.map(({ code, least, most }) => [code, [least, most]]));
}
