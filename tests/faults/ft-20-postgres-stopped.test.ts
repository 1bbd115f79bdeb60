// PostgreSQL stopped at once, in the middle of everything, and started again after five seconds: the API says 503 and when to
// come again, nothing that it accepted is lost, and nobody has to restart a process.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/house.ts';
import { isUp } from './kit/census.ts';
import { recordReadiness } from './kit/ready.ts';
import { faultRow } from './kit/row.ts';
import { canary, type World } from './kit/world.ts';

const awayMs = 5_000;
const pay = (): [string, object] => ['pay', { steps: 1, callMs: 20, canary }];

faultRow(
  {
    ft: '20',
    tier: 'P',
    name: 'PostgreSQL stopped for five seconds loses no job and makes no 500',
    ownPostgres: true,
  },
  async (world) => {
    await world.start('api');
    const work = await world.start('work');
    const api = `http://127.0.0.1:${world.env['STORYTIME_API_PORT'] ?? ''}`;
    const records = [recordReadiness(api), recordReadiness(() => work.url)];
    await world.caller.enqueueMany(200, pay);
    const steady = world.caller.enqueueMany(300, pay, { perSecond: 100 });
    await eventually('jobs come', () => world.caller.acknowledged().length >= 250);
    await world.postgres?.stopImmediately();
    const stoppedAt = Date.now();
    await checkRefusal(world, api);
    expect(await isUp(work.url, 'ledger')).toBe(false);
    await delay(awayMs - (Date.now() - stoppedAt));
    await world.postgres?.start();
    const startedAt = Date.now();
    await steady;
    await world.settled(60_000);
    const recoveryMs = Date.now() - startedAt;
    await eventually('both are ready', () =>
      records.every((one) => one.turned('green', startedAt) < Infinity),
    );
    for (const record of records) {
      expect(record.turned('red', stoppedAt)).toBeLessThan(4_000);
      expect(record.turned('green', startedAt)).toBeLessThan(5_000);
      record.stop();
    }
    expect(await isUp(work.url, 'ledger')).toBe(true);
    for (const member of world.members)
      expect(member.lines.filter((line) => line.includes('the ledger cannot be used'))).toHaveLength(1);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 500 };
  },
);

/** While it is away, an enqueue is told so, in time and with when to come again. */
async function checkRefusal(world: World, api: string): Promise<void> {
  const start = performance.now();
  const answer = await fetch(`${api}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'sleep', payload: { ms: 1 } }),
  });
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await answer.json()).toMatchObject({ code: 'ledger_unavailable' });
  expect(performance.now() - start).toBeLessThan(5_000);
  // Those who read are told the same (and I9 holds it to the five seconds).
  const [jobId = ''] = world.caller.acknowledged();
  for (const path of [`/v1/jobs/${jobId}?include=attempts,steps`, '/v1/queues', '/v1/providers']) {
    const { status, code, retryAfterS } = await world.caller.ask(path);
    expect([path, status, code]).toEqual([path, 503, 'ledger_unavailable']);
    expect(retryAfterS).toBeGreaterThan(0);
  }
}
