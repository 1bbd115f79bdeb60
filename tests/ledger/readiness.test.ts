import { afterEach, expect, test } from '@jest/globals';
import type { Events } from '../../shared/events.ts';
import { watchReadiness, type ReadinessWatch } from '../../ledger/readiness.ts';
import { eventually } from '../support/house.ts';

const pressure = { usedShare: 0, holdsAdds: false, holdsTakes: false };
let watch: ReadinessWatch | undefined;
afterEach(() => watch?.stop());

function open(ledger: () => Promise<void>, engine: () => Promise<void>): Events['dependency.changed'][] {
  const told: Events['dependency.changed'][] = [];
  watch = watchReadiness({
    db: { ping: ledger },
    broker: { ping: engine, kind: 'redis', pressure },
    emit: (name, event) => {
      if (name === 'dependency.changed') told.push(event as Events['dependency.changed']);
    },
  });
  return told;
}

test('each change is told once, with the reason, without anybody asking', async () => {
  let engineIsThere = true;
  const told = open(
    () => Promise.resolve(),
    () => (engineIsThere ? Promise.resolve() : Promise.reject(new Error('connection refused'))),
  );
  await eventually('both are told of', () => told.length === 2);
  engineIsThere = false;
  await eventually('it is missed', () => told.length === 3);
  expect(await watch?.now()).toEqual({
    ledger: true,
    engine: false,
    engineKind: 'redis',
    engineReason: 'away',
  });
  engineIsThere = true;
  await eventually('it is back', () => told.length === 4);
  expect(told.slice(2)).toEqual([
    { name: 'engine', ready: false, message: 'connection refused' },
    { name: 'engine', ready: true },
  ]);
});

test('a ledger that hangs is away after two seconds, and is asked once however many ask us', async () => {
  let asked = 0;
  const told = open(
    () => {
      asked += 1;
      return new Promise<void>(() => undefined);
    },
    () => Promise.resolve(),
  );
  const start = performance.now();
  const answers = await Promise.all([watch?.now(), watch?.now()]);
  expect(answers.map((answer) => answer?.ledger)).toEqual([false, false]);
  expect(performance.now() - start).toBeLessThan(3_000);
  expect(told).toContainEqual({ name: 'ledger', ready: false, message: 'no answer within 2 s' });
  await watch?.now();
  expect(asked).toBe(1);
});
