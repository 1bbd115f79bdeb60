// What a tenant may spend in a day: counted with the charges, limited by the nearest budget, told once.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { usedUpBudget, tellUsedUp } from '../../ledger/budgets.ts';
import { mayBeSentAgain } from '../../ledger/ledger-errors.ts';
import { commitLostCharges, commitStep } from '../../ledger/steps.ts';
import { openLives, type Lives } from './lives.ts';
import { query } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

/** Spends so many cents at Deepgram, as tenant `tenant`. */
async function spend(tenant: string, cents: number, request: string): Promise<void> {
  const begun = { ...(await lives.start()), tenant };
  const usage = [{ unit: 'character', quantity: (cents * 10_000) / 30 }];
  const charge = { provider: 'deepgram', model: 'aura', requestId: `${tenant} ${request}`, usage } as const;
  await commitLostCharges(lives.db, begun, 'speak', [charge]);
}

async function limit(tenant: string, provider: string, cents: number): Promise<void> {
  await query(
    lives,
    `INSERT INTO budget (tenant, provider, day_micro_usd) VALUES ($1, $2, $3)
      ON CONFLICT (tenant, provider) DO UPDATE SET day_micro_usd = excluded.day_micro_usd`,
    [tenant, provider, cents * 10_000],
  );
}

async function usedUp(tenant: string, provider = 'deepgram', cents?: number): Promise<string | undefined> {
  const dayMicroUsd = cents === undefined ? undefined : cents * 10_000;
  const used = await usedUpBudget(lives.db, { tenant, provider, dayMicroUsd });
  return used === undefined
    ? undefined
    : `${used.provider} ${used.spentMicroUsd / 10_000}/${used.limitMicroUsd / 10_000}`;
}

test('what is charged counts for the day, for its provider and for all, and one request counts once', async () => {
  await spend('ada', 3, 'a');
  await spend('ada', 3, 'a');
  await spend('ada', 4, 'b');
  const rows = await query(lives, 'SELECT provider, micro_usd::int FROM spend WHERE tenant = $1', ['ada']);
  expect(rows).toHaveLength(2);
  expect(rows).toEqual(
    expect.arrayContaining(['*', 'deepgram'].map((provider) => ({ provider, micro_usd: 70_000 }))),
  );
});

test('without a limit nothing is used up; the default is for tenants without a budget of their own', async () => {
  await spend('bob', 10, 'a');
  expect(await usedUp('bob')).toBeUndefined();
  expect(await usedUp('bob', 'gemini', 10)).toBe('* 10/10');
  expect(await usedUp('bob', 'gemini', 11)).toBeUndefined();
  await limit('bob', '*', 11);
  expect(await usedUp('bob', 'gemini', 1)).toBeUndefined();
  expect(await usedUp('somebody new', 'gemini', 0)).toBe('* 0/0');
});

test('a budget of one provider stops that one, and a row of all tenants serves those without a row', async () => {
  await spend('cleo', 5, 'a');
  await limit('*', 'deepgram', 5);
  expect([await usedUp('cleo'), await usedUp('cleo', 'gemini')]).toEqual(['deepgram 5/5', undefined]);
  await limit('cleo', 'deepgram', 6);
  expect(await usedUp('cleo')).toBeUndefined();
  await spend('cleo', 1, 'b');
  const used = await usedUpBudget(lives.db, { tenant: 'cleo', provider: 'deepgram', dayMicroUsd: undefined });
  expect(used?.untilTomorrowMs).toBeGreaterThan(0);
  expect(used?.untilTomorrowMs).toBeLessThanOrEqual(86_400_000);
  await query(lives, `DELETE FROM budget`);
});

test('yesterday is over, and of many who find a budget used up one tells it', async () => {
  await query(lives, `INSERT INTO spend VALUES ('dan', current_date - 1, '*', 999999)`);
  expect(await usedUp('dan', 'gemini', 5)).toBeUndefined();
  const told = await Promise.all(Array.from({ length: 10 }, () => tellUsedUp(lives.db, 'dan', '*')));
  expect(told.filter(Boolean)).toHaveLength(1);
  expect(await tellUsedUp(lives.db, 'dan', 'gemini')).toBe(true);
});

test('steps of one tenant that are charged at the same time all count', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, index) => spend('eve', 1, String(index))));
  expect(await usedUp('eve', 'gemini', 20)).toBe('* 20/20');
});

test('a commit that stands still with the sum of its tenant keeps no other job from being taken over', async () => {
  await spend('eve', 1, 'a');
  const still = await lives.db.connect();
  try {
    await still.query('BEGIN');
    await still.query(`UPDATE spend SET micro_usd = micro_usd WHERE tenant = 'eve'`);
    const begun = { ...(await lives.start()), tenant: 'eve' };
    const charge = {
      provider: 'deepgram',
      model: 'aura',
      usage: [{ unit: 'character', quantity: 1_000 }],
    } as const;
    const step = { name: 'speak', value: 1, charges: [charge], durationMs: 1 };
    const thrown = await commitStep(lives.db, begun, step).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ message: expect.stringContaining('lock timeout') });
    expect(mayBeSentAgain(thrown)).toBe(true);
    await query(lives, 'SELECT 1 FROM job WHERE id = $1 FOR UPDATE NOWAIT', [begun.jobId]);
    await still.query('ROLLBACK');
    await commitStep(lives.db, begun, step);
  } finally {
    await still.end();
  }
});
