// FT-17 with a pause that is three leases long and longer than any time-out of a connection to Redis, and with what a longer one
// would do: BullMQ's locks are gone under jobs that run. It delivers them a second time, and nothing begins or pays twice.
import { EventEmitter, once } from 'node:events';
import { expect } from '@jest/globals';
import { eventually } from '../../support/house.ts';
import { askRedis } from '../kit/census.ts';
import { pauseRedis, timers } from '../kit/paused-redis.ts';
import { faultRow } from '../kit/row.ts';
import { canary, type World } from '../kit/world.ts';

const longJobs = 6;
const queue = '{storytime}:play';
const readBegun = {
  name: 'ft17_begun',
  text: `SELECT max(attempt_no)::int AS most, count(*)::int AS count FROM attempt
    WHERE job_id IN (SELECT id FROM job WHERE kind = 'pay-long')`,
};

faultRow(
  {
    ft: '17',
    tier: 'N',
    engines: ['redis'],
    timers,
    name: 'Redis that stands still for 30 s, or forgets who runs what, loses and doubles nothing',
  },
  (world) => pauseRedis(world, 30_000, loseLocks),
);

/** BullMQ looks every half minute, and gives out again what had no lock at two looks. */
async function loseLocks(world: World): Promise<void> {
  const port = Number(new URL(world.redis?.url ?? '').port);
  const ask = async (command: string): Promise<string[]> =>
    (await askRedis(port, command)).split('\r\n').filter((line) => !/^[*$+:]/.test(line) && line !== '');
  await world.settled(60_000);
  const answers = new EventEmitter();
  world.bill.meet(() => ({ how: 'answer', after: once(answers, 'given') }));
  const wishes = await world.caller.enqueueMany(longJobs, () => ['pay-long', { canary }]);
  await eventually('they wait for their answers', () => world.bill.underWay() === longJobs);

  const ours = (id: string): boolean => wishes.some(({ jobId = 'none' }) => id.startsWith(jobId));
  const ids = (await ask(`LRANGE ${queue}:active 0 -1`)).filter(ours);
  expect(ids).toHaveLength(longJobs);
  const gone = await askRedis(port, `DEL ${ids.map((id) => `${queue}:${id}:lock`).join(' ')}`);
  expect(gone).toContain(`:${longJobs}`);
  const deliveries = async (): Promise<number[]> =>
    Promise.all(ids.map(async (id) => Number((await ask(`HGET ${queue}:${id} ats`))[0])));
  await eventually(
    'each is delivered again',
    async () => (await deliveries()).every((count) => count >= 2),
    90_000,
  );
  expect(world.bill.underWay()).toBe(longJobs); // all that while they ran
  answers.emit('given');
  await world.settled(30_000);
  expect(await world.db.run(readBegun, [])).toEqual([{ most: 1, count: longJobs }]);
}
