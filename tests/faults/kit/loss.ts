// Jobs for rows that lose the engine: some due now, some soon, some in an hour, so that at any moment the engine holds many of
// each; and how the loss was noticed, by the work processes' own words.
import { expect } from '@jest/globals';
import { eventually } from '../../support/house.ts';
import { compareEngine } from './agreement.ts';
import type { EnqueueOptions } from './client.ts';
import type { Member } from './fleet.ts';
import { canary, type World } from './world.ts';

const soonMs = 4_000;
const laterMs = 3_600_000;

/** Of ten jobs five are due now, three soon, two in an hour. */
export function mixed(index: number): [kind: string, payload: object, options?: EnqueueOptions] {
  const job: [string, object] =
    index % 4 === 0 ? ['pay', { steps: 2, callMs: 20, canary }] : ['quick', { ms: 10, canary }];
  const delayMs = index % 10 < 5 ? 0 : index % 10 < 8 ? soonMs : laterMs;
  return [...job, delayMs === 0 ? {} : { options: { delayMs } }];
}

const countLeft = {
  name: 'loss_left',
  text: `SELECT count(*)::int AS count FROM job WHERE finished_at IS NULL AND run_at < clock_timestamp() + interval '10 min'`,
};
const makeDue = {
  name: 'loss_make_due',
  text: `UPDATE job SET run_at = clock_timestamp(), generation = generation + 1, dispatched_at = NULL, claimed_until = clock_timestamp()
    WHERE state = 'scheduled'`,
};
const countTwice = {
  name: 'loss_twice',
  text: `SELECT job_id FROM attempt GROUP BY job_id, generation HAVING count(*) > 1`,
};
const countOpen = {
  name: 'loss_open',
  text: `SELECT state::text, count(*) FILTER (WHERE dispatched_at IS NOT NULL AND state <> 'running')::int AS held
    FROM job WHERE finished_at IS NULL GROUP BY state`,
};

/**
 * Waits until all that is due now or soon has ended, holds the engine to the jobs of an hour hence, and lets these run, too.
 * Resolves with the milliseconds until everything had ended.
 */
export async function settleAfterLoss(world: World, later: number): Promise<number> {
  const start = performance.now();
  const left = async (): Promise<number> =>
    (await world.db.run<{ count: number }>(countLeft, []))[0]?.count ?? -1;
  await eventually('what is due has ended', async () => (await left()) === 0, 60_000);
  const { compared, forgotten } = await compareEngine(world);
  if (compared !== later || forgotten.length > 0)
    throw new Error(
      `the engine should hold ${later} jobs; it was given ${compared} and lost ${forgotten.join(', ')}`,
    );
  await world.db.run(makeDue, []);
  await world.settled(30_000);
  return performance.now() - start;
}

/**
 * Enqueues `jobs` of `mixed` and kills Redis while they still come: some wait, some run, some are due later, and some were told
 * by their provider to come again in four seconds. A quarter of them at least is in Redis then, whatever the machine's speed.
 * Resolves at the kill, with what is left to enqueue under way.
 */
export async function killUnderLoad(world: World, jobs: number): Promise<{ enqueued: Promise<unknown> }> {
  const met = new Set<string>();
  world.bill.meet((step) => {
    if (met.has(step) || world.random() > 1 / 4) return { how: 'answer' };
    met.add(step);
    return { how: 'refuse', status: 429, retryAfterS: 4 };
  });
  const enqueued = world.caller.enqueueMany(jobs, mixed, { perSecond: 250 });
  await eventually('there are jobs of every kind', async () => {
    const open = await world.db.run<{ state: string; held: number }>(countOpen, []);
    const held = open.reduce((sum, row) => sum + row.held, 0);
    const many = world.caller.acknowledged().length >= jobs / 2 && held >= jobs / 4;
    const states = new Set(open.map(({ state }) => state));
    return many && ['running', 'scheduled', 'snoozed', 'waiting'].every((state) => states.has(state));
  });
  await world.redis?.kill();
  return { enqueued };
}

/** Every request was accepted at once: no caller noticed. */
export function expectAccepted({ caller }: Pick<World, 'caller'>): void {
  expect(caller.sent.filter(({ status }) => status !== 202)).toEqual([]);
}

/** Jobs of which one dispatch began twice: an id of the engine was used again. */
export async function begunTwice({ db }: Pick<World, 'db'>): Promise<string[]> {
  return (await db.run<{ job_id: string }>(countTwice, [])).map(({ job_id }) => job_id);
}

export interface Notice {
  /** When it was seen (Date.now()): the line itself is written once everything is back. */
  at: number;
  doubt: string;
  broughtBack: number;
}

interface Told extends Omit<Notice, 'at'> {
  time: string;
  durationMs: number;
}

/** Each time work processes noticed that the engine had lost something, in order. */
export function noticesOf(members: readonly Member[]): Notice[] {
  return recoveriesOf(members).filter(({ doubt }) => doubt !== 'none');
}

/** Jobs that work processes gave to the engine again. A page that was being compared at the loss brings its own back. */
export function broughtBackBy(members: readonly Member[]): number {
  return recoveriesOf(members).reduce((sum, { broughtBack }) => sum + broughtBack, 0);
}

function recoveriesOf(members: readonly Member[]): Notice[] {
  return members
    .flatMap(({ lines }) => lines)
    .filter((line) => line.includes('"doubt":"'))
    .map((line) => JSON.parse(line) as Told)
    .map(({ time, durationMs, ...told }) => ({ ...told, at: Date.parse(time) - durationMs }))
    .toSorted((one, other) => one.at - other.at);
}
