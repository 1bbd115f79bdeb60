// Done, and nobody was told: one answer in ten is lost on the way back from the ledger, from the engine, from the provider, from
// the mail server. Whoever asks again must find what was done, and do nothing twice.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';
import { faultRow } from './kit/row.ts';
import { canary, type World } from './kit/world.ts';

const share = 0.1;
/** How long a call waits for an answer that never comes. */
const limitMs = 3_000;

faultRow(
  {
    ft: '34',
    tier: 'P',
    name: 'one lost answer in ten, of ledger, engine and provider, loses and doubles nothing',
  },
  async (world) => {
    const jobs = 200;
    const ledger = await startProxy(world.databaseUrl);
    const engine = world.redis === undefined ? undefined : await startProxy(world.redis.url);
    world.env['DATABASE_URL'] = ledger.url;
    if (engine !== undefined) world.env['REDIS_URL'] = engine.url;
    await world.start('api');
    await Promise.all([world.start('work'), world.start('work')]);
    let ofEngine = 0; // in the same server as the ledger, where there is no Redis
    const lostByLedger = ledger.loseAnswers((request) => {
      const chosen = writes.test(request) && world.random() < share;
      if (chosen && functions.test(request)) ofEngine += 1;
      return chosen;
    });
    const lostByEngine = engine?.loseAnswers((request) => commands.test(request) && world.random() < share);
    const lost = loseSome(world);
    const payload = { steps: 2, callMs: 20, limitMs, canary };
    await world.caller.enqueueMany(jobs, () => ['pay', payload], { parallel: 10 });
    const recoveryMs = await world.settled(150_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    const losses = [lostByLedger() - ofEngine, lostByEngine?.() ?? ofEngine, lost.cut(), lost.hung()];
    process.stdout.write(`lost by ledger, engine, provider; never given: ${losses.join(', ')}\n`);
    for (const [index, least] of [20, 20, 5, 5].entries()) expect(losses[index]).toBeGreaterThan(least);
    expect(counts.extraCalls).toBeLessThanOrEqual(losses.reduce((sum, count) => sum + count));
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
/** Those of BullMQ. */
const functions = /add_job|move_to_(active|completed)/;
/** Scripts of BullMQ: adding, taking and ending jobs. */
const commands = /evalsha/i;

/**
 * Charged, and then cut or never answered, by turns: an unknown outcome, which a step may have once or twice, but not for ever.
 */
function loseSome(world: World): { cut: () => number; hung: () => number } {
  const met = new Set<string>();
  const ways = ['cut', 'hang'] as const;
  const counts = { cut: 0, hang: 0 };
  world.bill.meet((step) => {
    if (met.has(step) || world.random() > share) return { how: 'answer' };
    const how = ways[met.size % 2] ?? 'cut';
    met.add(step);
    counts[how] += 1;
    return { how };
  });
  return { cut: () => counts.cut, hung: () => counts.hang };
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
    // One process sends five mails a second.
    await Promise.all([1, 2, 3].map(() => world.start('work', { kinds: 'storytime' })));
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
