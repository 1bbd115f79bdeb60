// Answers of the API that break off in the middle, and an API that is killed while it answers: the caller cannot know, asks
// again with the same key, and gets the job it already has.
import { expect } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startProxy } from '../support/proxy.ts';
import { faultRow } from './kit/row.ts';
import { canary } from './kit/world.ts';

const jobs = 200;
/** About one answer: head and body. */
const answerBytes = 700;

faultRow(
  { ft: '35', tier: 'P', engines: ['redis'], name: 'answers cut in the middle make no job twice' },
  async (world) => {
    const api = await world.start('api', { supervised: true });
    await world.start('work');
    const proxy = await startProxy(api.url);
    world.callVia(proxy.url.replace(/\/$/, ''));
    const storm = new AbortController();
    const weather = (async () => {
      for (let gust = 1; !storm.signal.aborted; gust += 1) {
        proxy.spoil({ how: 'cutAfter', bytes: Math.floor(world.random() * answerBytes) }, 'down');
        if (gust % 40 === 0) await api.kill();
        await delay(50);
      }
      proxy.restore();
    })();
    setTimeout(() => storm.abort(), 8_000);
    await world.caller.enqueueMany(jobs, () => ['quick', { canary }], { perSecond: 30 });
    await weather;
    const recoveryMs = await world.settled(60_000);
    await proxy.close();
    const counts = await world.check(['I1', 'I2', 'I3', 'I9', 'I12'], { cutsAllowed: true });
    expect(api.ends.length).toBeGreaterThan(1);
    expect(world.caller.sent.length).toBeGreaterThan(jobs * 1.2); // it was a storm
    expect(new Set(world.caller.acknowledged()).size).toBe(jobs);
    expect(await world.states()).toEqual({ succeeded: jobs });
    return { ...counts, recoveryMs, jobs };
  },
);
