// Stores that are gone for good, never there, or there and refusing: every loop that tries again waits longer each time, so a
// process that can do nothing takes next to nothing of its machine, and works by itself once they serve it.
// Covers: engine/rest.ts
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../../ledger/embedded/port.ts';
import { eventually } from '../../support/house.ts';
import { askRedis, cpuSeconds, readiness } from '../kit/census.ts';
import type { Member } from '../kit/fleet.ts';
import { faultRow } from '../kit/row.ts';
import type { World } from '../kit/world.ts';

const jobs = 300;
const lookMs = 20_000;
/** Of one core; a loop that does not wait takes half of one, or all. */
const mostShare = 0.15;
const finals = ['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12'] as const;

/** More than is done when the fault comes, so that no worker of the engine is at rest by itself. */
async function begin(world: World): Promise<void> {
  await world.caller.enqueueMany(jobs, () => ['sleep', { ms: 300 }]);
  await eventually('jobs run', async () => ((await world.states())['running'] ?? 0) > 0);
}

async function checkIdle(members: readonly Member[]): Promise<void> {
  const before = members.map(({ pid }) => ({ pid, seconds: cpuSeconds(pid) }));
  const start = performance.now();
  await delay(lookMs);
  const wall = (performance.now() - start) / 1_000;
  const shares = before.map(({ pid, seconds }) => (cpuSeconds(pid) - seconds) / wall);
  process.stdout.write(
    `FT-55: ${shares.map((share) => (share * 100).toFixed(1)).join(' %, ')} % of a core\n`,
  );
  expect(members.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid)); // nor were they started anew
  for (const share of shares) expect(share).toBeLessThan(mostShare);
}

faultRow(
  {
    ft: '55',
    tier: 'N',
    name: 'processes whose stores are gone, or never came, take less than 15 % of a core and come back by themselves',
    ownPostgres: true,
  },
  async (world) => {
    const [api, lost] = [await world.start('api'), await world.start('work')];
    await begin(world);
    await Promise.all([world.postgres?.stopImmediately(), world.redis?.kill()]);
    const port = String((await freePort(0)) ?? 0);
    const early = await world.start('work', { wait: false, env: { STORYTIME_WORK_PORT: port } });
    const url = `http://127.0.0.1:${port}`;
    await eventually('it lives', async () => (await readiness(url, '/livez')).status === 200, 30_000);
    await eventually('it is missed', async () => (await readiness(lost.url)).status === 503);
    await checkIdle([api, lost, early]);
    await Promise.all([world.postgres?.start(), world.redis?.restart()]);
    const recoveryMs = await world.settled(60_000);
    for (const address of [lost.url, url])
      await eventually('it is ready', async () => (await readiness(address)).status === 200);
    return { ...(await world.check(finals)), recoveryMs, jobs };
  },
);

faultRow(
  {
    ft: '55',
    tier: 'N',
    name: 'processes that an engine refuses at once, time after time, take less than 15 % of a core and go on when it serves',
    ownPostgres: true,
  },
  async (world) => {
    const members = [await world.start('api'), await world.start('work')];
    await begin(world);
    await setRefusing(world, true);
    await checkIdle(members);
    await setRefusing(world, false);
    const recoveryMs = await world.settled(60_000);
    return { ...(await world.check(finals)), recoveryMs, jobs };
  },
);

/** A Redis without the right to run scripts; a database that takes no connections, on a server that does. */
async function setRefusing({ redis, databaseUrl }: World, refusing: boolean): Promise<void> {
  if (redis !== undefined) {
    const sign = refusing ? '-' : '+';
    await askRedis(redis.port, `ACL SETUSER default ${sign}eval ${sign}evalsha`);
    return;
  }
  const client = new pg.Client({ connectionString: databaseUrl.replace(/\/storytime$/, '/postgres') });
  await client.connect();
  await client.query(`ALTER DATABASE storytime ALLOW_CONNECTIONS ${!refusing}`);
  if (refusing)
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'storytime'`);
  await client.end();
}
