// A budget stops the next call before it is made: the job waits without using an attempt up, and goes on when it is raised.
import { afterEach, expect, test } from '@jest/globals';
import type { Job } from '../../workers/define.ts';
import { gate, openStage, type Stage } from './stage.ts';

let stage: Stage;
afterEach(() => stage.close());

/** Pays 3 cents a call. */
function payer(calls: string[]) {
  return async (job: Job): Promise<object> => {
    for (const name of ['first', 'second'])
      await job.step(name, async (call) => {
        await call.afford('deepgram');
        calls.push(`${job.tenant} ${name}`);
        call.charge({ provider: 'deepgram', model: 'aura', usage: [{ unit: 'character', quantity: 1_000 }] });
        return name;
      });
    return {};
  };
}

test('the call that would come after the budget is not made, and a raised budget lets the job go on', async () => {
  const calls: string[] = [];
  stage = await openStage({ handler: payer(calls), dayMicroUsd: 30_000, leaseMs: 60_000 });
  const id = await stage.add();
  await stage.deliver(id);
  const row = await stage.row(id);
  expect([row.state, row.errorCode, row.failures]).toEqual(['snoozed', 'quota_exhausted', 0]);
  expect(row.errorMessage).toContain(
    'the budget of tenant test for all providers (0.03 USD a day) is used up',
  );
  expect(row.runAt.getTime() - Date.now()).toBeLessThanOrEqual(15 * 60_000 * 1.1);
  const other = await stage.add();
  await stage.deliver(other);
  expect(calls).toEqual(['test first']);
  expect(stage.seen('budget.exhausted')).toEqual([
    { tenant: 'test', provider: '*', limitMicroUsd: 30_000, spentMicroUsd: 30_000 },
  ]);
  await stage.db.prisma.budget.create({
    data: { tenant: 'test', provider: '*', dayMicroUsd: 1_000_000n },
  });
  await stage.deliver(id);
  expect((await stage.row(id)).state).toBe('succeeded');
  expect(calls).toEqual(['test first', 'test second']);
});

test('while the ledger cannot say what is left nothing is paid, and the call is made when it can', async () => {
  const calls: string[] = [];
  const asking = gate();
  stage = await openStage({
    leaseMs: 10_000,
    handler: async (job: Job) => {
      stage.proxy.cut();
      asking.open();
      return payer(calls)(job);
    },
  });
  const id = await stage.add();
  const run = stage.deliver(id);
  await asking.passed;
  expect(calls).toEqual([]);
  stage.proxy.restore();
  await run;
  expect([(await stage.row(id)).state, calls.length]).toEqual(['succeeded', 2]);
});
