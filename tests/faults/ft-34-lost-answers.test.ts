// Done, and nobody was told: one answer in ten is lost on the way back from the ledger, from the engine, from the provider, from
// the mail server. Whoever asks again must find what was done, and do nothing twice.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';
import { faultRow } from './kit/row.ts';
import { canary, type World } from './kit/world.ts';

const share = 0.1;

faultRow(
  {
    ft: '34',
    tier: 'P',
    name: 'one lost answer in ten, of ledger, engine and provider, loses and doubles nothing',
  },
  async (world) => {
    const jobs = 240;
    const ledger = await startProxy(world.databaseUrl);
    const engine = world.redis === undefined ? undefined : await startProxy(world.redis.url);
    world.env['DATABASE_URL'] = ledger.url;
    if (engine !== undefined) world.env['REDIS_URL'] = engine.url;
    await world.start('api');
    await Promise.all([world.start('work'), world.start('work')]);
    const lostByLedger = ledger.loseAnswers((request) => writes.test(request) && world.random() < share);
    const lostByEngine = engine?.loseAnswers((request) => commands.test(request) && world.random() < share);
    const cut = cutSome(world);
    await world.caller.enqueueMany(jobs, () => ['pay', { steps: 2, callMs: 20, canary }], { parallel: 10 });
    const faults = (): number => lostByLedger() + (lostByEngine?.() ?? 0) + cut();
    const recoveryMs = await world.settled(150_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    expect(lostByLedger()).toBeGreaterThan(20);
    expect(cut()).toBeGreaterThan(10);
    expect(counts.extraCalls).toBeLessThanOrEqual(faults());
    await Promise.all([ledger.close(), engine?.close()]);
    return { ...counts, recoveryMs, jobs };
  },
);

/**
 * What is written: commits, and the statements that are their own commit, by the names they are prepared under; BullMQ's own
 * functions where the engine is in the same server.
 */
const writes =
  /COMMIT|attempt_(begin|finish|succeed)|enqueue_|relay_|lease_|add_job|move_to_(active|completed)/;
/** Scripts of BullMQ: adding, taking and ending jobs. */
const commands = /evalsha/i;

/** Charged, then cut: an unknown outcome, which a step may have once or twice, but not for ever. */
function cutSome(world: World): () => number {
  const met = new Set<string>();
  let count = 0;
  world.bill.meet((step) => {
    if (met.has(step) || world.random() > share) return { how: 'answer' };
    met.add(step);
    count += 1;
    return { how: 'cut' };
  });
  return () => count;
}

faultRow(
  {
    ft: '34',
    tier: 'P',
    engines: ['redis'],
    name: 'a mail server that takes one mail in ten and does not say so gets it again under the same Message-ID',
  },
  async (world) => {
    const jobs = 60;
    const sandbox = await world.startSandbox();
    await world.start('api', { kinds: 'storytime' });
    await world.start('work', { kinds: 'storytime' });
    await sandbox.fault({
      provider: 'smtp',
      probability: share,
      fault: { kind: 'smtp', code: 451, at: 'data', drop: true },
    });
    await world.caller.enqueueMany(jobs, (index) => ['send-email', mail(index)], { parallel: 10 });
    const start = performance.now();
    await eventually('every mail is confirmed', async () => {
      await world.hasten(); // the next try is due in half a minute
      return (await world.states())['succeeded'] === jobs;
    });
    const recoveryMs = performance.now() - start;
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12']);
    expect(counts.extraCalls).toBeGreaterThan(0);
    const taken = (await sandbox.mails()).map(({ messageId, to }) => `${messageId} ${to.join()}`);
    expect(taken).toHaveLength(jobs + counts.extraCalls);
    expect(new Set(taken).size).toBe(jobs);
    return { ...counts, recoveryMs, jobs };
  },
);

function mail(index: number): object {
  const link = 'https://storytime.example/start';
  return { to: `reader-${index}@example.com`, template: 'welcome', variables: { name: 'Ottilie', link } };
}
