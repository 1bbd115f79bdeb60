// The operations page: every queue on one table, one sentence on top, from the ledger alone, so it shows while the engine
// is away. It refreshes itself; however many look, the ledger is asked at most once in two seconds, and a fifth of the time.
import { Router } from 'express';
import { remember } from '../shared/remember.ts';
import type { Db } from '../ledger/db.ts';
import { providerViews } from '../ledger/queries-providers.ts';
import { emptyStats, queueStats, unknownJobs } from '../ledger/queries-queues.ts';
import { sendPage } from './answers.ts';
import { providerLine } from './provider-line.ts';
import { countOf, duration, targetSeconds, verdict, type QueueLine } from './verdict.ts';
import { render } from './views.ts';

export interface OpsOptions {
  db: Db;
  /** In the order of the table. */
  queues: readonly string[];
  environment: string;
}

const believedMs = 2_000;
/** Of the time: on a busy day a count takes long, just when the ledger has better things to do. */
const share = 0.2;

export function opsRoutes(options: OpsOptions): Router {
  const router = Router();
  const read = remember(
    believedMs,
    () => Promise.all([readLines(options), providerViews(options.db)]),
    share,
  );
  router.get('/ops', async (_request, response) => {
    const [lines, providers] = await read();
    const rows = lines.map((line) => ({
      ...line,
      waiting: countOf(line, 'waiting'),
      running: countOf(line, 'running'),
      retrying: countOf(line, 'retrying'),
      snoozed: countOf(line, 'snoozed'),
      scheduled: countOf(line, 'scheduled', 'blocked'),
      parked: countOf(line, 'parked'),
      deadLastDay: countOf(line, 'deadLastDay'),
      anyParked: line.parked > 0,
      anyDead: line.deadLastDay > 0,
      oldest: line.oldestWaitingSeconds > 0 ? duration(line.oldestWaitingSeconds) : '–',
      late: line.oldestWaitingSeconds > targetSeconds,
    }));
    const { environment } = options;
    const open = lines.reduce((sum, line) => sum + openJobs(line), 0);
    const told = verdict(lines, providers);
    const page = { rows, providers: providers.map(providerLine), ...told, environment, idle: open === 0 };
    sendPage(response, 200, render('ops', { ...page, now: new Date() }));
  });
  return router;
}

async function readLines({ db, queues }: OpsOptions): Promise<QueueLine[]> {
  const [stats, unknown] = await Promise.all([queueStats(db, queues), unknownJobs(db, queues)]);
  return queues.map((queue) => ({
    ...emptyStats,
    ...stats.get(queue),
    queue,
    unknown: unknown.get(queue) ?? 0,
  }));
}

function openJobs(line: QueueLine): number {
  return (
    line.blocked + line.scheduled + line.waiting + line.retrying + line.snoozed + line.running + line.parked
  );
}
