// The bodies of the rows in which a Redis that others stand in for is killed (FT-52, FT-53): a replica that has everything takes
// over, or one that has not had the last seconds.
import { expect } from '@jest/globals';
import type { RedisGroup } from '../../support/redis-groups.ts';
import { eventually } from '../../support/house.ts';
import { readiness } from './census.ts';
import type { EnqueueOptions } from './client.ts';
import type { Member } from './fleet.ts';
import { begunTwice, broughtBackBy, mixed, noticesOf, settleAfterLoss } from './loss.ts';
import { recordReadiness } from './ready.ts';
import type { RowResult } from './row.ts';
import { canary, type World } from './world.ts';

const jobs = 800;
/** Those that only the killed master has. */
const unseen = 400;
const readyMs = 10_000;

/** Nothing that runs is killed here: a machine that stands still for ten seconds must not look like it. */
export const longLeases = { STORYTIME_LEASE_MS: '30000', STORYTIME_RENEW_MS: '2000' };

const due = (index: number): [kind: string, payload: object, options?: EnqueueOptions] =>
  index % 4 === 0 ? ['pay', { steps: 2, callMs: 20, canary }] : ['quick', { ms: 10, canary }];

/** kill -9 of the master while jobs come in. */
export async function loseMaster(world: World): Promise<RowResult> {
  const { api, workers } = await startParts(world);
  const record = recordReadiness(() => workers[0]?.url ?? '');
  const enqueuing = world.caller.enqueueMany(jobs, due, { perSecond: 100 });
  await eventually('jobs come', () => world.caller.acknowledged().length >= jobs / 4);
  const { killedAt, tookOverAt, fallen } = await killMaster(world);
  expect((await readiness(api.url)).status).toBe(200);
  await eventually('it is ready', () => record.turned('green', tookOverAt) < Infinity);
  await fallen.restart(); // and finds that it is the master no more
  await enqueuing;
  await world.settled(30_000);
  const recoveryMs = Date.now() - killedAt;
  record.stop();
  const [red, green] = [record.turned('red', killedAt), record.turned('green', tookOverAt)];
  tell(world, `taken over after ${tookOverAt - killedAt} ms, red after ${red} ms, green ${green} ms later`);
  // Where the replica is quick, it is ready again before anybody could say that it was not.
  expect(Math.min(red, tookOverAt - killedAt + green)).toBeLessThan(readyMs);
  expect(green).toBeLessThan(readyMs);
  expectAccepted(world, workers);
  const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
  expect(counts.extraCalls).toBe(0);
  return { ...counts, recoveryMs, jobs };
}

/** The same, and the replica has had nothing of the last jobs: what Redis acknowledged is gone with its master. */
export async function loseWrites(world: World): Promise<RowResult> {
  const { workers } = await startParts(world);
  await world.caller.enqueueMany(jobs - unseen, mixed, { perSecond: 100 });
  world.group?.cutReplicas();
  await world.caller.enqueueMany(unseen, mixed, { perSecond: 100 });
  const { killedAt, tookOverAt } = await killMaster(world);
  await eventually('the loss is noticed', () => noticesOf(workers).length > 0);
  const recoveryMs = tookOverAt - killedAt + (await settleAfterLoss(world, jobs / 5));
  const { at, doubt } = noticesOf(workers)[0] ?? { at: 0, doubt: 'none' };
  const broughtBack = broughtBackBy(workers);
  tell(
    world,
    `taken over after ${tookOverAt - killedAt} ms, ${doubt} ${at - tookOverAt} ms later, ${broughtBack} back`,
  );
  expect(doubt).toBe('older');
  expect(broughtBack).toBeGreaterThanOrEqual(unseen / 5); // those of an hour hence, and some of those that were soon due
  expect(await begunTwice(world)).toEqual([]);
  expectAccepted(world, workers);
  const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12']);
  expect(counts.extraCalls).toBe(0);
  return { ...counts, recoveryMs, jobs };
}

async function startParts(world: World): Promise<{ api: Member; workers: Member[] }> {
  const api = await world.start('api');
  const workers = await Promise.all([world.start('work'), world.start('work')]);
  return { api, workers };
}

interface Fall {
  /** Date.now(), like `tookOverAt`: when another server said that it has the jobs. */
  killedAt: number;
  tookOverAt: number;
  fallen: RedisGroup['nodes'][number];
}

/** With the master goes the first of its Sentinels, as if they had been on one machine: it stands still. */
async function killMaster({ group }: World): Promise<Fall> {
  const fallen = group?.master();
  if (fallen === undefined) throw new Error('there is no master to kill');
  group?.sentinels[0]?.pause();
  await fallen.kill();
  const killedAt = Date.now();
  await eventually('a replica takes over', () => group?.master() !== undefined);
  return { killedAt, tookOverAt: Date.now(), fallen };
}

/** Every request got its 202 at the first try, and no process had to be started again. */
function expectAccepted({ caller }: World, workers: readonly Member[]): void {
  expect(caller.sent.filter(({ status }) => status !== 202)).toEqual([]);
  expect(workers.flatMap(({ ends }) => ends)).toEqual([]);
}

function tell({ group }: World, what: string): void {
  process.stdout.write(`${group?.sentinels.length === 0 ? 'cluster' : 'sentinel'}: ${what}\n`);
}
