// Twenty work processes started at once at a database without room for their connections: each waits its turn, says what is missing,
// and none ends. The jobs are run by those that got in, and when some leave the others take their places by themselves.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../ledger/embedded/port.ts';
import { eventually } from '../../support/house.ts';
import { readiness } from '../kit/census.ts';
import { faultRow } from '../kit/row.ts';
import { calmLeases, type World } from '../kit/world.ts';

const jobs = 200;
const processes = 20;
const room = 30;
const refusal = /too many clients|connection slots are reserved/;
const lookMs = 10_000;
/** Each of a process's few loops may ask about once a second; one without a pause asks hundreds of times. */
const mostASecond = 6 * processes;

faultRow(
  {
    ft: '43',
    tier: 'N',
    engines: ['redis'],
    name: 'twenty work processes at a database with room for 30 connections: none ends, each that waits says why, the jobs are run',
    ownPostgres: true,
    timers: calmLeases,
    timeoutMs: 400_000,
  },
  async (world) => {
    await world.postgres?.stopImmediately();
    await world.postgres?.start(room);
    const beat = setInterval(() => void world.db.ping().catch(() => undefined), 1_000); // its connection is never idle for long
    try {
      await world.start('api');
      await world.caller.enqueueMany(jobs, () => ['sleep', { ms: 100 }]);
      const urls = await storm(world);
      const recoveryMs = await world.settled(200_000);
      await checkPatience(world, urls);
      await world.caller.enqueueMany(jobs, () => ['sleep', { ms: 100 }]);
      await world.settled(60_000);
      await makeRoom(world, urls);
      const counts = await world.check(['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12']);
      return { ...counts, recoveryMs, jobs: 2 * jobs };
    } finally {
      clearInterval(beat);
    }
  },
);

/** Resolves with the addresses of the probes when all of them live. */
async function storm(world: World): Promise<string[]> {
  const ports = new Set<number>();
  while (ports.size < processes) ports.add((await freePort(0)) ?? 0);
  const env = [...ports].map((port) => ({ STORYTIME_WORK_PORT: String(port) }));
  await Promise.all(env.map((own) => world.start('work', { wait: false, env: own })));
  const urls = [...ports].map((port) => `http://127.0.0.1:${port}`);
  for (const url of urls)
    await eventually(`${url} lives`, async () => (await readiness(url, '/livez')).status === 200, 120_000);
  return urls;
}

async function readyOf(urls: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(urls.map(async (url) => ({ url, ...(await readiness(url)) })));
  return answers.filter(({ status }) => status === 200).map(({ url }) => url);
}

async function checkPatience(world: World, urls: readonly string[]): Promise<void> {
  const refused = async (): Promise<number> =>
    ((await world.postgres?.log()) ?? '').split('\n').filter((line) => refusal.test(line)).length;
  const before = await refused();
  await delay(lookMs);
  const pace = ((await refused()) - before) / (lookMs / 1_000);
  const ready = await readyOf(urls);
  process.stdout.write(
    `FT-43: ${ready.length} of ${processes} are ready, ${pace.toFixed(1)} refusals a second\n`,
  );
  expect(ready.length).toBeGreaterThan(0);
  expect(pace).toBeLessThan(mostASecond);
  const workers = world.members.filter(({ name }) => name.startsWith('work'));
  expect(world.members.flatMap(({ ends }) => ends)).toEqual([]);
  const told = workers.filter(({ lines }) => lines.some((line) => refusal.test(line)));
  expect(told.length).toBeGreaterThanOrEqual(processes - ready.length);
}

/** Nearly all leave; the rest become ready, whoever they are. */
async function makeRoom(world: World, urls: readonly string[]): Promise<void> {
  const workers = world.members.filter(({ name }) => name.startsWith('work'));
  const leaving = workers.slice(0, processes - 2);
  expect(await Promise.all(leaving.map((member) => member.term()))).toEqual(leaving.map(() => 0));
  await eventually('the others are ready', async () => (await readyOf(urls)).length === 2, 30_000);
}
