// The body of the rows in which Redis stands still (FT-17): SIGSTOP under load, for as long as the row says.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/house.ts';
import { expectAccepted } from './loss.ts';
import { recordReadiness } from './ready.ts';
import type { RowResult } from './row.ts';
import { calmLeases, canary, type World } from './world.ts';

/** Long enough that a busy machine does not lose a lease: then nothing but Redis could run anything twice. */
export const timers = calmLeases;

const jobs = 200;
const pay = (): [string, object] => ['pay', { steps: 3, callMs: 200, canary }];

/** `resumed`: what else happens to the jobs once it goes on. */
export async function pauseRedis(
  world: World,
  forMs: number,
  resumed: (world: World) => Promise<void> = () => Promise.resolve(),
): Promise<RowResult> {
  await world.start('api');
  const workers = await Promise.all([world.start('work'), world.start('work')]);
  await world.caller.enqueueMany(jobs / 2, pay);
  const record = recordReadiness(() => workers[0].url);
  world.redis?.pause();
  const pausedAt = Date.now();
  await world.caller.enqueueMany(jobs / 2, pay, { perSecond: 50 });
  await delay(forMs - (Date.now() - pausedAt));
  expect(record.turned('red', pausedAt)).toBeLessThan(4_000);
  world.redis?.resume();
  const resumedAt = Date.now();
  await resumed(world);
  await world.settled(60_000);
  const recoveryMs = Date.now() - resumedAt;
  await eventually('it is ready', () => record.turned('green', resumedAt) < Infinity);
  expect(record.turned('green', resumedAt)).toBeLessThan(10_000);
  record.stop();
  const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
  expectAccepted(world);
  expect(counts.extraCalls).toBe(0); // nothing was killed: no call is of unknown outcome
  return { ...counts, recoveryMs, jobs: world.caller.wishes.length };
}
