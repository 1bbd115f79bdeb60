// A mail server's bad day: away, greylisting, refusing an address for good, and taking a mail without saying so. A mail is sent
// again only where it may not have been taken, and then under the Message-ID it had, so that a receiver can drop the copy.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { faultRow } from './kit/row.ts';
import type { FaultSandbox } from './kit/sandbox.ts';
import type { World } from './kit/world.ts';

const each = 40;

faultRow(
  {
    ft: '41',
    tier: 'P',
    engines: ['redis'],
    name: 'a mail server that is away, busy, strict or forgetful costs no mail, and one copy at most for each silence',
    timers: { STORYTIME_BREAKER: 'off' },
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api', { kinds: 'storytime' });
    await world.start('work', { kinds: 'storytime' });

    await sandbox.member.kill();
    await write(world, 'away');
    await reached(world, 'retrying');
    await sandbox.member.start();
    await delivered(world);

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
      unavailable: [1, 1],
      unknown_outcome: [1, 1],
    });
    const mails = (await sandbox.mails()).map(({ messageId, to }) => `${to.join()} ${messageId}`);
    const copies = mails.filter((mail) => mail.startsWith('forgetful'));
    expect([mails.length, new Set(mails).size]).toEqual([4 * each, 3 * each]);
    expect([copies.length, new Set(copies).size]).toEqual([2 * each, each]);
    return { ...counts, recoveryMs, jobs: 4 * each };
  },
);

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
