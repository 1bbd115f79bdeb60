// Keys that somebody else's open transaction holds: their callers wait here, beside the batches, so that nobody else waits with them.
import { setTimeout as pause } from 'node:timers/promises';
import type { Batcher } from '../shared/batcher.ts';
import { Problem } from '../shared/errors.ts';
import { keyName, type Enqueued } from './enqueue-batch.ts';
import type { EnqueueRequest } from './enqueue-rows.ts';
import { lockNotFree, sqlState } from './ledger-errors.ts';

type Requests = Batcher<EnqueueRequest, Enqueued>;

/** As long as a statement may take. */
const patienceMs = 2_000;
const mostPauseMs = 50;

/** Adds to `hurried`; whoever's key is held goes on trying in `patient`, and so does everybody who comes with it meanwhile. */
export function besideHeld(
  hurried: Requests,
  patient: Requests,
): (request: EnqueueRequest) => Promise<Enqueued> {
  const held = new Map<string, number>();

  async function wait(request: EnqueueRequest): Promise<Enqueued> {
    const name = keyName(request);
    held.set(name, (held.get(name) ?? 0) + 1);
    try {
      return await tryUntilFree(patient, request);
    } finally {
      const others = (held.get(name) ?? 1) - 1;
      if (others === 0) held.delete(name);
      else held.set(name, others);
    }
  }

  return async (request) => {
    if (held.has(keyName(request))) return wait(request);
    return hurried.add(request).catch((thrown: unknown) => {
      if (sqlState(thrown) !== lockNotFree) throw thrown;
      return wait(request);
    });
  };
}

async function tryUntilFree(patient: Requests, request: EnqueueRequest): Promise<Enqueued> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await patient.add(request);
    } catch (thrown) {
      if (sqlState(thrown) !== lockNotFree) throw thrown;
      if (performance.now() > until) throw stillHeld(thrown);
    }
    // A random one: when there are many, each is among the first at some time.
    await pause(Math.random() * mostPauseMs);
  }
}

function stillHeld(cause: unknown): Problem {
  return new Problem(
    'ledger_unavailable',
    'enqueue failed: a transaction that is still open holds this Idempotency-Key; send it again with the same key',
    { retryAfterSeconds: 2, cause },
  );
}
