// A work process's provider calls become shared minutes, and none is lost while the ledger is away.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDb } from '../../ledger/db.ts';
import { providerFigures } from '../../ledger/provider-minutes.ts';
import { startProviderFigures } from '../../workers/provider-figures.ts';
import { openLedger, type LedgerWorld } from '../ledger/world.ts';
import { eventually } from '../support/house.ts';
import { startProxy } from '../support/proxy.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

test('calls are passed on and counted; refusals of the request are no errors of the provider', async () => {
  const seen: string[] = [];
  const figures = startProviderFigures(world.db, (name) => void seen.push(name), 20);
  const called = { provider: 'gemini', operation: 'ask', durationMs: 70 } as const;
  for (const outcome of ['ok', 'bad_input', 'unavailable', 'rate_limited'] as const)
    figures.emit('provider.called', { ...called, outcome });
  figures.emit('provider.breaker', { provider: 'gemini', gate: 'gemini-text', state: 'open' });
  expect(seen).toEqual([...Array.from({ length: 4 }, () => 'provider.called'), 'provider.breaker']);
  await eventually('they are written', async () => (await providerFigures(world.db)).has('gemini'));
  await figures.stop();
  expect((await providerFigures(world.db)).get('gemini')).toMatchObject({ calls: 4, errors: 2 });
});

test('what could not be written is written later, together with what came meanwhile', async () => {
  const proxy = await startProxy(world.url);
  const db = openDb({ url: proxy.url, poolSize: 2, statementTimeoutMs: 500, emit: () => undefined });
  const figures = startProviderFigures(db, () => undefined, 20);
  const call = (): void =>
    figures.emit('provider.called', { provider: 'smtp', operation: 'send', outcome: 'ok', durationMs: 5 });
  proxy.cut();
  call();
  await expect(db.ping()).rejects.toThrow();
  call();
  proxy.restore();
  await eventually(
    'both are written',
    async () => (await providerFigures(world.db)).get('smtp')?.calls === 2,
  );
  await figures.stop();
  await db.close();
  await proxy.close();
});
