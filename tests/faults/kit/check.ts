// The checker: joins what the callers saw, what the ledger says and what the bill says, and holds them to the invariants.
// `checkInvariants` throws with the offending ids; what it counted on the way is the row's line in the table.
// I1 every wish was accepted, nothing of it is lost, and all of it has ended   I2 no job that nobody asked for
// I3 one final outcome a job, told once   I4 no step paid twice but for calls of unknown outcome, and never once it is stored
// I5 a superseded attempt wrote nothing   I6 attempts are counted right, and no more of them than allowed
// I8 the engine holds every job that it was given and that has not begun, and hands out none that is over
// I9 every request is answered in 5 s: 2xx, a typed 4xx, a typed 503 that says when to come again
// I12 no personal data, no stray error, in log, metric or problem
import type { Db } from '../../../ledger/db.ts';
import type { Caller, Sent } from './client.ts';
import type { Member } from './fleet.ts';
import { countRefused, leaks, toldTwice } from './words.ts';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I8' | 'I9' | 'I12';
export const allInvariants: readonly Invariant[] = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I9', 'I12'];

export interface Evidence {
  db: Db;
  caller: Caller;
  charged: readonly Paid[];
  /** How many attempts a job of this kind has. */
  attemptsOf: (kind: string) => number;
  members: readonly Member[];
  /** Metrics, and whatever else a row wants looked through. */
  texts: readonly string[];
  /** Where engine and ledger do not agree, as `3 waiting of play`. */
  disagreement: () => Promise<readonly string[]>;
  /** Texts that must not leave the ledger. */
  canaries: readonly string[];
}

/** A charged call. */
export interface Paid {
  /** `<job id>:<step>`. */
  step: string;
  /** When it was charged, in ms since 1970. */
  at: number;
}

export interface Counts {
  lost: number;
  /** Begins beyond one a job, whatever the reason. */
  reruns: number;
  /** Writes of superseded attempts that were refused. */
  refused: number;
  /** Charged calls beyond one a step. */
  extraCalls: number;
}

export interface CheckOptions {
  /** How jobs may end; default: all succeed. */
  finals?: readonly string[];
  /** Requests without an answer are right: the row kills the API or cuts its connections. Late answers never are. */
  cutsAllowed?: boolean;
  /** Wishes may end without a job: the row asks for what is refused. */
  refusalsAllowed?: boolean;
  /** Calls on a bill of the row's own. */
  alsoCharged?: readonly Paid[];
  /** Log lines that the row provokes on purpose. */
  logAllowed?: RegExp;
}

interface Facts {
  evidence: Evidence;
  options: CheckOptions;
  jobs: JobFacts[];
  attempts: AttemptFacts[];
}

interface JobFacts {
  id: string;
  kind: string;
  state: string;
  source: string;
  failures: number;
  attempt_no: number;
  key: string | null;
}

interface AttemptFacts {
  job_id: string;
  attempt_no: number;
  outcome: string;
  code: string | null;
}

const readJobs = {
  name: 'check_jobs',
  text: `SELECT j.id, j.kind, j.state::text, j.source, j.failures::int, j.attempt_no, i.key
    FROM job j LEFT JOIN idempotency i ON i.job_id = j.id`,
};
const readAttempts = {
  name: 'check_attempts',
  text: 'SELECT job_id, attempt_no, outcome::text, code FROM attempt ORDER BY job_id, attempt_no',
};
const readStored = {
  name: 'check_stored',
  text: `SELECT job_id || ':' || name AS step, extract(epoch FROM created_at)::float8 * 1000 AS at FROM step`,
};
const readStale = {
  name: 'check_stale',
  text: `SELECT s.job_id || ':' || s.name AS step FROM step s JOIN attempt a ON a.job_id = s.job_id AND a.attempt_no = s.attempt_no
    WHERE s.created_at > a.ended_at`,
};

export async function checkInvariants(
  evidence: Evidence,
  names: readonly Invariant[],
  options: CheckOptions = {},
): Promise<Counts> {
  const jobs = await evidence.db.run<JobFacts>(readJobs, []);
  const attempts = await evidence.db.run<AttemptFacts>(readAttempts, []);
  const facts: Facts = { evidence, options, jobs, attempts };
  const broken: string[] = [];
  for (const name of names) {
    const ids = [...(await checks[name](facts))];
    if (ids.length > 0) broken.push(`${name}: ${ids.length}: ${ids.slice(0, 10).join(', ')}`);
  }
  if (broken.length > 0) throw new Error(`invariants do not hold:\n${broken.join('\n')}`);
  return {
    lost: 0,
    reruns: jobs.reduce((sum, { attempt_no }) => sum + Math.max(0, attempt_no - 1), 0),
    refused: countRefused(evidence.members),
    extraCalls: evidence.charged.length - new Set(evidence.charged.map(({ step }) => step)).size,
  };
}

type Check = (facts: Facts) => Iterable<string> | Promise<Iterable<string>>;

const checks: Record<Invariant, Check> = {
  I1: ({ evidence, options, jobs }) => {
    const states = new Map(jobs.map((job) => [job.id, job.state]));
    const finals = options.finals ?? ['succeeded'];
    const wanted = new Set([...evidence.caller.acknowledged(), ...states.keys()]); // children, too
    const unheard = evidence.caller.wishes.filter(({ jobId }) => jobId === undefined);
    return [
      ...(options.refusalsAllowed === true ? [] : unheard.map(({ key }) => `${key} was not accepted`)),
      ...[...wanted].filter((id) => !finals.includes(states.get(id) ?? 'not there')),
    ];
  },
  I2: ({ evidence, jobs }) => {
    const asked = new Set(evidence.caller.acknowledged());
    const keys = new Set(evidence.caller.sent.map(({ key }) => key));
    const strange = jobs.filter(
      ({ id, source, key }) => source === 'api' && !asked.has(id) && !keys.has(key ?? ''),
    );
    return strange.map(({ id }) => id);
  },
  I3: ({ evidence, jobs, attempts }) => {
    const successes = countBy(
      attempts.filter(({ outcome }) => outcome === 'succeeded').map(({ job_id }) => job_id),
    );
    const last = new Map(attempts.map((attempt) => [attempt.job_id, attempt]));
    const wrong = jobs.flatMap(({ id, state, attempt_no }) => {
      const right = (successes.get(id) ?? 0) === (state === 'succeeded' ? 1 : 0);
      const current = state !== 'succeeded' || last.get(id)?.attempt_no === attempt_no;
      return right && current ? [] : id;
    });
    return [...wrong, ...toldTwice(evidence.members)];
  },
  I4: async ({ evidence, jobs, attempts }) => {
    const unknown = countBy(attempts.filter(mayHavePaid).map(({ job_id }) => job_id));
    const often = [...countBy(evidence.charged.map(({ step }) => step))].flatMap(([step, calls]) =>
      calls > 1 + (unknown.get(step.split(':')[0] ?? '') ?? 0) ? `${step} (${calls} calls)` : [],
    );
    // One step after the other: an attempt of unknown end was in one call at most.
    const inTurn = jobs.filter(({ kind }) => kind === 'pay').map(({ id }) => id);
    const extra = countBy(
      twice(evidence.charged.map(({ step }) => step)).map((step) => step.split(':')[0] ?? ''),
    );
    const more = inTurn.flatMap((id) => {
      const [calls, ends] = [extra.get(id) ?? 0, unknown.get(id) ?? 0];
      return calls > ends ? `${id} (${calls} extra calls, ${ends} of unknown end)` : [];
    });
    const rows = await evidence.db.run<Paid & object>(readStored, []);
    const stored = new Map(rows.map(({ step, at }) => [step, at]));
    const late = evidence.charged.filter(({ step, at }) => at > (stored.get(step) ?? Infinity));
    return [...often, ...more, ...late.map(({ step }) => `${step} (paid again after its answer was stored)`)];
  },
  I5: async ({ evidence }) =>
    (await evidence.db.run<{ step: string }>(readStale, [])).map(({ step }) => step),
  I6: ({ evidence, jobs, attempts }) => {
    const spent = countBy(attempts.filter(countsAsFailure).map(({ job_id }) => job_id));
    return jobs.flatMap(({ id, kind, failures }) =>
      failures === (spent.get(id) ?? 0) && failures <= evidence.attemptsOf(kind)
        ? []
        : `${id} (${failures} failures)`,
    );
  },
  I8: ({ evidence }) => evidence.disagreement(),
  I9: ({ evidence, options }) =>
    evidence.caller.sent
      .filter((sent) => !isTrue(sent, options.cutsAllowed === true))
      .map(
        ({ key, status, code, failure, ms }) =>
          `${key} ${status} ${code ?? failure ?? ''} ${Math.round(ms)} ms`,
      ),
  I12: ({ evidence, options }) => leaks(evidence, options.logAllowed),
};

/** Each text once for every time that it comes again. */
function twice(texts: readonly string[]): string[] {
  const seen = new Set<string>();
  return texts.filter((text) => seen.size === seen.add(text).size);
}

/** An attempt that ended without our knowing how its call ended. */
function mayHavePaid({ outcome, code }: AttemptFacts): boolean {
  if (outcome === 'lost' || outcome === 'crashed' || outcome === 'interrupted') return true;
  return code === 'unknown_outcome' || code === 'timeout';
}

/** A crash counts only where it is proven that this very attempt was the cause. */
function countsAsFailure({ outcome, code }: AttemptFacts): boolean {
  return outcome === 'failed' || (outcome === 'crashed' && code === 'bug');
}

function isTrue({ status, code, failure, ms, retryAfterS = 0 }: Sent, cutsAllowed: boolean): boolean {
  if (ms > 5_000 || failure === 'timeout') return false;
  if (failure === 'cut') return cutsAllowed;
  return (status < 300 || code !== 'untyped') && (status < 500 || (status === 503 && retryAfterS > 0));
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
