// `storytime drill`: starts a system of its own, loses its engine in the middle of its work, waits until the system has healed
// itself, and proves with figures that no job was lost and nothing was done twice. Never touches anybody else's engine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../client/index.ts';
import { createEvents } from '../shared/events.ts';
import { createLifecycle, stopOnSignals, type Lifecycle } from '../shared/lifecycle.ts';
import { recoverAll } from '../ledger/recover-all.ts';
import { withComparison, type Comparison } from './comparison.ts';
import { deferred } from './deferred.ts';
import { proofText, prove, type Proof } from './drill-proof.ts';
import { hasRedis, startDrillSystem, type DrillSystem } from './drill-system.ts';
import { CliError } from './exit.ts';
import { json, painter, type Terminal } from './terminal.ts';

export interface DrillFlags {
  engine?: 'redis' | 'postgres';
  jobs: number;
  /** Limit for the jobs to end, in ms. */
  timeout: number;
  json?: boolean;
  color?: boolean;
}

/** Half of the jobs are due only after these, so that the engine holds many whatever the machine's speed. */
const delaysMs = [3_000, 5_000, 7_000];
const atOnce = 20;

/** Resolves with the exit code: 1 when a job was lost or something done twice. */
export async function runDrill(terminal: Terminal, flags: DrillFlags): Promise<number> {
  const redis = flags.engine === undefined ? hasRedis() : flags.engine === 'redis';
  if (redis && !hasRedis())
    throw new CliError(
      'wrongUse',
      'the drill cannot use Redis: redis-server is not installed; use --engine postgres',
    );
  const say = (line: string): void => terminal.err(`${line}\n`);
  const ended = deferred<number>();
  const lifecycle = createLifecycle({
    emit: createEvents().emit,
    deadlineMs: 25_000,
    partMs: 8_000,
    exit: ended.resolve,
  });
  stopOnSignals(lifecycle);
  try {
    const interrupted = ended.promise.then(() =>
      Promise.reject(new CliError('interrupted', 'the drill was stopped')),
    );
    const proof = await Promise.race([
      drill(lifecycle, { redis, jobs: flags.jobs, timeoutMs: flags.timeout, say }),
      interrupted,
    ]);
    const paint = painter(terminal, flags.color === false);
    terminal.out(flags.json === true ? json(proof) : proofText(proof, paint));
    return proof.ok ? 0 : 1;
  } finally {
    await lifecycle.stop('the drill is over');
  }
}

interface Course {
  redis: boolean;
  jobs: number;
  timeoutMs: number;
  say: (line: string) => void;
}

async function drill({ onStop }: Lifecycle, { redis, jobs, timeoutMs, say }: Course): Promise<Proof> {
  const home = await mkdtemp(join(tmpdir(), 'storytime-drill-'));
  onStop('the folder', () => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  say(`starting a system of its own on ${redis ? 'Redis' : 'PostgreSQL'} …`);
  const system = await startDrillSystem({ home, redis, onStop, say });
  const ids = await enqueueMail(system, jobs);
  const loss = await withComparison(system.config, system.databaseUrl, async (comparison) => {
    const { compared } = await recoverAll({ ...comparison, dryRun: true });
    say(`${ids.length} jobs were accepted; ${compared} of them wait in the engine. Losing the engine …`);
    const at = performance.now();
    await system.lose();
    const wholeMs = await untilWhole(comparison, at, timeoutMs);
    say('The engine holds everything again. Waiting for the jobs to end …');
    return { held: compared, at, wholeMs };
  });
  await allEnded(system, ids, loss.at + timeoutMs);
  const healedMs = Math.round(performance.now() - loss.at);
  return prove(system, { ids, ...loss, healedMs, engine: redis ? 'redis' : 'postgres' });
}

/** Mail: the sandbox's bill has one line for each that was sent. */
async function enqueueMail({ api, key }: DrillSystem, jobs: number): Promise<string[]> {
  const client = connect({ url: api, key });
  const ids: string[] = [];
  const left = Array.from({ length: jobs }, (_, index) => index);
  const take = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const variables = { name: `Reader ${next}`, link: 'https://example.com/' };
      const delayMs = next % 2 === 0 ? 0 : delaysMs[next % delaysMs.length];
      const to = `reader-${next}@example.com`;
      const payload = { template: 'welcome', to, variables } as const;
      const options = delayMs === undefined || delayMs === 0 ? {} : { delayMs };
      ids.push((await client.enqueue('send-email', payload, options)).id);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  return ids;
}

/** Milliseconds since `at` when the engine held every job that it was given; the limit when it never did. */
async function untilWhole(comparison: Comparison, at: number, limitMs: number): Promise<number> {
  for (;;) {
    const spent = Math.round(performance.now() - at);
    // While the engine is away, or before its loss is noticed, it does not hold what it should.
    const left = await recoverAll({ ...comparison, dryRun: true }).catch(() => undefined);
    if (left?.forgotten.length === 0 || spent > limitMs) return spent;
    await delay(50);
  }
}

/** Ends without an error when the time is over: the proof says what has not ended. */
async function allEnded({ api, key }: DrillSystem, ids: readonly string[], end: number): Promise<void> {
  const client = connect({ url: api, key });
  for (const id of ids) {
    while (!(await client.get(id)).final) {
      if (performance.now() > end) return;
      await delay(100);
    }
  }
}
