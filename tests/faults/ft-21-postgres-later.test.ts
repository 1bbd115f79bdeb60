// PostgreSQL that comes later than the processes: they live, say that they are not ready and why, and are ready by themselves
// soon after it is there. A Worker of BullMQ made before that would stay deaf for ever.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../ledger/embedded/port.ts';
import { eventually } from '../support/house.ts';
import { readiness } from './kit/census.ts';
import { recordReadiness } from './kit/ready.ts';
import { faultRow } from './kit/row.ts';

const laterMs = 10_000;

faultRow(
  {
    ft: '21',
    tier: 'P',
    name: 'processes that start before PostgreSQL are ready by themselves after it',
    ownPostgres: true,
  },
  async (world) => {
    await world.postgres?.stopImmediately();
    const port = String((await freePort(0)) ?? 0);
    const api = await world.start('api', { wait: false });
    const work = await world.start('work', { wait: false, env: { STORYTIME_WORK_PORT: port } });
    const urls = [`http://127.0.0.1:${world.env['STORYTIME_API_PORT'] ?? ''}`, `http://127.0.0.1:${port}`];
    const records = urls.map((url) => recordReadiness(url));
    await delay(laterMs);
    for (const url of urls) {
      await eventually('it lives', async () => (await readiness(url, '/livez')).status === 200, 30_000);
      expect((await readiness(url)).status).toBe(503);
    }
    for (const { lines } of [api, work])
      await eventually('it says why', () => lines.some((line) => line.includes('the ledger cannot be used')));
    for (const { alive, lines } of [api, work]) {
      expect(alive).toBe(true);
      expect(lines.filter((line) => line.includes('the ledger cannot be used'))).toHaveLength(1);
    }
    await world.postgres?.start();
    const startedAt = Date.now();
    await eventually('both are ready', () =>
      records.every((one) => one.turned('green', startedAt) < Infinity),
    );
    for (const record of records) {
      expect(record.turned('green', startedAt)).toBeLessThan(5_000);
      record.stop();
    }
    await world.caller.enqueueMany(50, () => ['pay', { steps: 1, callMs: 20 }]);
    await world.settled(30_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I9', 'I12']);
    const recoveryMs = Math.max(...records.map((record) => record.turned('green', startedAt)));
    return { ...counts, recoveryMs, jobs: 50 };
  },
);
