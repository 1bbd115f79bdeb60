import { expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Begun } from '../../ledger/begin.ts';
import { createRegistry } from '../../queues/registry.ts';
import { runnable } from '../../workers/parking.ts';
import { playQueue } from '../support/house.ts';

const upgrade = { 2: (payload: unknown) => payload };
const play = {
  payload: z.looseObject({}),
  result: z.unknown(),
  replay: 'safe',
  version: 3,
  upgrade,
} as const;
const registry = createRegistry([{ ...playQueue, jobs: { play } }]);
const handler = () => Promise.resolve({});

function begun(change: Partial<Begun>): Begun {
  const known = { kind: 'play', queue: 'play', payloadVersion: 3, attemptNo: 1, failures: 0 };
  return { ...known, ...change } as Begun;
}

function judge(change: Partial<Begun>) {
  const job = begun(change);
  const answer = runnable(job, registry.find(job.kind), { play: handler });
  if (!('parked' in answer)) return 'runs';
  return answer.parked.outcome === 'interrupted' ? answer.parked.parked : undefined;
}

test('this version and those that can be brought up to it run', () => {
  expect([3, 2].map((payloadVersion) => judge({ payloadVersion }))).toEqual(['runs', 'runs']);
});

test('a newer version, one that is too old and a kind of another build are parked with a reason', () => {
  expect(judge({ payloadVersion: 4 })).toContain('version 4, known are 2 to 3');
  expect(judge({ payloadVersion: 1 })).toContain('version 1');
  expect(judge({ kind: 'rest' })).toContain('kind rest is not known in queue play');
});
