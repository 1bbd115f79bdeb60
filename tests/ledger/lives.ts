// A ledger with attempts on top, and the shortest ways to lead a job through its life without an engine or a host.
import type { Events } from '../../shared/events.ts';
import { registry } from '../../queues/index.ts';
import { checkJob } from '../../queues/check.ts';
import { createAttempts, type Attempts } from '../../ledger/attempts.ts';
import type { BeginAnswer, Begun } from '../../ledger/begin.ts';
import type { Db } from '../../ledger/db.ts';
import type { Child } from '../../ledger/family.ts';
import type { Verdict } from '../../ledger/finish.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { registerWorker } from '../../ledger/workers.ts';
import { newId } from '../../shared/ids.ts';
import { addJob, openLedger, type LedgerWorld } from './world.ts';

export interface Lives extends LedgerWorld {
  attempts: Attempts;
  workerId: string;
  /** Names of the batch statements that were sent, in order. */
  sent: string[];
  /** What attempts handed on after a commit. */
  returned: Dispatch[];
  born: Events['job.enqueued'][];
  /** Inserts a job and begins it. */
  start: () => Promise<Begun>;
}

const leaseMs = 60_000;

export async function openLives(): Promise<Lives> {
  const world = await openLedger();
  const sent: string[] = [];
  const returned: Dispatch[] = [];
  const born: Events['job.enqueued'][] = [];
  world.events.on('job.enqueued', (event) => void (event.source === 'child' && born.push(event)));
  const counted: Db = {
    ...world.db,
    run(statement, values) {
      sent.push(statement.name);
      return world.db.run(statement, values);
    },
  };
  const workerId = newId();
  await registerWorker(world.db, { id: workerId, version: 'test', queues: [], knows: [] });
  const onCommitted = (rows: readonly Dispatch[]): void => void returned.push(...rows);
  const attempts = createAttempts({ db: counted, workerId, leaseMs, emit: world.events.emit, onCommitted });
  return {
    ...world,
    attempts,
    workerId,
    sent,
    returned,
    born,
    start: async () => begunOf(await attempts.begin({ jobId: await addJob(world), generation: 1 })),
  };
}

export function begunOf(answer: BeginAnswer): Begun {
  if ('begun' in answer) return answer.begun;
  throw new Error(`the begin was refused: ${answer.refused}`);
}

export const succeeded: Verdict = { outcome: 'succeeded', result: '{}' };
export const interrupted: Verdict = { outcome: 'interrupted' };

export function failed(retryInMs: number | null): Verdict {
  return { outcome: 'failed', code: 'unavailable', message: 'down', stack: null, retryInMs };
}

/** A child that enqueues a picture, or one that waits for its siblings. */
export function child(waits = false): Child {
  const storyId = newId();
  const job = waits
    ? { kind: 'publish-story', payload: { storyId } }
    : { kind: 'generate-images', payload: { storyId, page: 0 } };
  return { job: checkJob(registry, job, Date.now()), waits };
}
