// Covers: workers/maintenance/duty.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../../shared/ids.ts';
import type { Duty } from '../../../workers/maintenance/duty.ts';
import { startMaintenance, type Maintenance } from '../../../workers/maintenance/loop.ts';
import { openDb } from '../../../ledger/db.ts';
import { eventually } from '../../support/house.ts';
import { startProxy } from '../../support/proxy.ts';
import { openLedger, query, type LedgerWorld } from '../../ledger/world.ts';
import { gate } from '../stage.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const fit = (): Promise<boolean> => Promise.resolve(true);

function start(run: Duty['run'], everyMs = 20, queues = ['email'], isFit = fit): Maintenance {
  const duties = [{ name: 'count', everyMs, run }];
  const { db, events } = world;
  return startMaintenance({
    db,
    workerId: newId(),
    duties,
    queues,
    leadMs: 300,
    calmMs: 0,
    fit: isFit,
    emit: events.emit,
  });
}

test('one process does a duty, and another takes over when it leaves', async () => {
  const rounds = [0, 0];
  const first = start(() => Promise.resolve((rounds[0] = (rounds[0] ?? 0) + 1)));
  await eventually('the first leads', () => (rounds[0] ?? 0) > 0);
  const second = start(() => Promise.resolve((rounds[1] = (rounds[1] ?? 0) + 1)));
  const before = rounds[0] ?? 0;
  await eventually('the first goes on', () => (rounds[0] ?? 0) > before + 5);
  expect(rounds[1]).toBe(0);
  await first.stop();
  const last = rounds[0];
  await eventually('the second leads', () => (rounds[1] ?? 0) > 2);
  expect(rounds[0]).toBe(last);
  await second.stop();
  expect(await query(world, 'SELECT duty FROM leader')).toEqual([]);
});

test('one that cannot reach the engine leaves the lead to one that can, and does the duties while nobody can', async () => {
  const rounds = [0, 0];
  const able = [false, false];
  const queues = ['cut off'];
  const begin = (at: 0 | 1): Maintenance =>
    start(
      () => Promise.resolve((rounds[at] = (rounds[at] ?? 0) + 1)),
      20,
      queues,
      () => Promise.resolve(able[at] === true),
    );
  const first = begin(0);
  await eventually('it does them', () => (rounds[0] ?? 0) > 30);
  able[1] = true;
  const second = begin(1);
  await eventually('the other one leads', () => (rounds[1] ?? 0) > 3);
  const before = [...rounds];
  await eventually('it goes on', () => (rounds[1] ?? 0) > 60); // longer than a lead
  const [ofFirst = 0, ofSecond = 0] = rounds.map((count, at) => count - (before[at] ?? 0));
  expect(ofFirst).toBeLessThan(ofSecond / 3); // none, unless this machine stood still for a whole lead
  await Promise.all([first.stop(), second.stop()]);
});

test('builds that know other queues each have a leader', async () => {
  const rounds = [0, 0];
  const both = [['email'], ['email', 'letters']].map((queues, at) =>
    start(() => Promise.resolve((rounds[at] = (rounds[at] ?? 0) + 1)), 20, queues),
  );
  await eventually('both do their rounds', () => rounds.every((count) => count > 1));
  await Promise.all(both.map((maintenance) => maintenance.stop()));
});

test('a duty that fails is told of and tried again', async () => {
  const failures: string[] = [];
  world.events.on('maintenance.failed', (event) => void failures.push(event.message));
  let rounds = 0;
  const maintenance = start(() => {
    rounds += 1;
    return rounds === 1 ? Promise.reject(new Error('not this time')) : Promise.resolve(0);
  });
  await eventually('it was tried again', () => rounds > 1);
  expect(failures).toEqual(['not this time']);
  await maintenance.stop();
});

test('a hint during a round is followed by one more, and a stop waits for the round under way', async () => {
  let rounds = 0;
  let looked = gate();
  const maintenance = start(async () => {
    rounds += 1;
    await looked.passed;
    return 0;
  }, 60_000);
  maintenance.hint('count');
  maintenance.hint('count');
  maintenance.hint('count');
  maintenance.hint('unknown');
  expect(rounds).toBe(1);
  looked.open();
  looked = gate();
  await eventually('it looked once more', () => rounds === 2);
  let stopped = false;
  const stopping = maintenance.stop().then(() => (stopped = true));
  maintenance.hint('count');
  expect(stopped).toBe(false);
  looked.open();
  await stopping;
  expect(rounds).toBe(2);
});

test('after an outage of the ledger a duty that takes silence for death waits until the living have shown themselves', async () => {
  const proxy = await startProxy(world.url);
  const { emit } = world.events;
  const db = openDb({ url: proxy.url, poolSize: 2, statementTimeoutMs: 1_000, emit });
  const rounds = { judge: 0, other: 0 };
  const duties = (['judge', 'other'] as const).map((name) => ({
    name,
    everyMs: 20,
    judges: name === 'judge',
    run: () => Promise.resolve((rounds[name] += 1)),
  }));
  const options = { db, workerId: newId(), duties, queues: ['outage'], leadMs: 300, fit, emit };
  const maintenance = startMaintenance({ ...options, calmMs: 60_000 });
  await eventually('both do their rounds', () => rounds.judge > 1 && rounds.other > 1);
  proxy.cut();
  let before = { ...rounds };
  await eventually('nobody leads', async () => {
    before = { ...rounds };
    await new Promise((resolve) => setTimeout(resolve, 100));
    return rounds.other === before.other;
  });
  proxy.restore();
  await eventually('the other goes on', () => rounds.other > before.other + 5);
  maintenance.hint('judge');
  expect(rounds.judge).toBe(before.judge);
  await maintenance.stop();
  await db.close();
  await proxy.close();
});

test('a process that began while the ledger was away is no quicker to take silence for death', async () => {
  const rounds: string[] = [];
  const duties = ['judge', 'other'].map((name) => ({
    name,
    everyMs: 20,
    judges: name === 'judge',
    run: () => Promise.resolve(rounds.push(name)),
  }));
  const { db, events } = world;
  const options = { db, workerId: newId(), duties, queues: ['late'], leadMs: 300, fit, emit: events.emit };
  const maintenance = startMaintenance({ ...options, calmMs: 60_000, afterOutage: true });
  await eventually('it leads', () => rounds.length > 5);
  expect(new Set(rounds)).toEqual(new Set(['other']));
  await maintenance.stop();
});
