// The same Idempotency-Key fifty times at once, over two API processes, with two bodies: one job a key, one id in every 202,
// and a typed 422 for whoever says something else under a key that is taken.
import { expect } from '@jest/globals';
import { faultRow } from './kit/row.ts';
import { canary } from './kit/world.ts';

const keys = 20;
const parallel = 50;

faultRow(
  { ft: '27', tier: 'P', engines: ['redis'], name: 'fifty parallel posts of one key make one job' },
  async (world) => {
    await world.start('api');
    const second = await world.start('api', { env: { STORYTIME_API_PORT: '0' } });
    await world.start('work');
    const urls = [world.members[0]?.url ?? '', second.url];
    let turn = 0;
    world.callVia(() => urls[(turn += 1) % 2] ?? '');
    for (let key = 0; key < keys; key += 1) {
      const other = Math.floor(world.random() * parallel);
      const posts = Array.from({ length: parallel }, (_, index) =>
        index % 5 === other % 5 ? body(1) : body(0),
      );
      await Promise.all(posts.map((post) => world.caller.send(`key-${key}`, post)));
    }
    const recoveryMs = await world.settled(10_000);
    const counts = await world.check(['I2', 'I3', 'I9', 'I12']);
    for (let key = 0; key < keys; key += 1) {
      const answers = world.caller.sent.filter((sent) => sent.key === `key-${key}`);
      expect(answers).toHaveLength(parallel);
      const accepted = answers.filter(({ status }) => status === 202);
      expect(new Set(accepted.map(({ jobId }) => jobId)).size).toBe(1);
      expect([parallel / 5, (parallel * 4) / 5]).toContain(accepted.length);
      const refused = answers.filter(({ status }) => status !== 202);
      expect(refused.map(({ status, code }) => `${status} ${code ?? ''}`)).toEqual(
        refused.map(() => '422 idempotency_key_reused'),
      );
    }
    expect(await world.states()).toEqual({ succeeded: keys });
    return { ...counts, recoveryMs, jobs: keys };
  },
);

function body(ms: number): object {
  return { kind: 'quick', payload: { ms, canary } };
}
