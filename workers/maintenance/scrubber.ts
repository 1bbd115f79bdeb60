// While the canary is right, compares a page of jobs with the engine, and goes on from there the next time: a file cut at its end
// keeps its canary. Not a part of the reconciler, because on a busy machine a page takes seconds, and that must look meanwhile.
import { doubtOf } from '../../ledger/epoch.ts';
import { recoverSome, walkDispatched } from '../../ledger/recover.ts';
import type { Duty } from './duty.ts';
import type { ReconcilerOptions } from './reconciler.ts';

const pageSize = 1_000;

export function scrubber(options: Omit<ReconcilerOptions, 'workerId'>): Duty {
  const { db, broker, queues, everyMs, emit } = options;
  const walk = walkDispatched(db, { queues, size: pageSize });
  return {
    name: 'scrubber',
    everyMs,
    async run() {
      // In doubt everything is compared, or is just being compared: not twice.
      if (!broker.ready || (await doubtOf(db, broker)) !== undefined) return 0;
      const start = performance.now();
      const broughtBack = await recoverSome(options, walk, { rows: pageSize, ways: ['queued', 'active'] });
      const durationMs = Math.round(performance.now() - start);
      if (broughtBack > 0) emit('engine.recovered', { doubt: 'none', broughtBack, durationMs });
      return broughtBack;
    },
  };
}
