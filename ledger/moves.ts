// The table of allowed moves between job states. Every statement that changes a state takes its condition from here.
import type { JobState } from './generated/prisma/enums.ts';

export type { JobState };

export const finalStates = [
  'succeeded',
  'dead',
  'cancelled',
  'expired',
] as const satisfies readonly JobState[];

/** States in which a delivery may begin the job. */
export const startableStates = [
  'scheduled',
  'waiting',
  'retrying',
  'snoozed',
] as const satisfies readonly JobState[];

export const openStates = [
  'blocked',
  ...startableStates,
  'running',
  'parked',
] as const satisfies readonly JobState[];

const stopped = ['cancelled', 'expired', 'parked'] as const;

/** From -> to. Nothing leaves a final state; `waiting` may be reached again from itself by a new generation. */
export const moves: Readonly<Record<JobState, readonly JobState[]>> = {
  blocked: ['waiting', ...stopped],
  scheduled: ['running', ...stopped],
  waiting: ['running', ...stopped],
  retrying: ['running', ...stopped],
  snoozed: ['running', ...stopped],
  running: ['succeeded', 'retrying', 'snoozed', 'waiting', 'dead', ...stopped],
  parked: ['waiting', 'cancelled', 'expired'],
  succeeded: [],
  dead: [],
  cancelled: [],
  expired: [],
};

export function isFinal(state: JobState): boolean {
  return moves[state].length === 0;
}

/** A list of states as SQL: `'waiting','running'`. Only our own constants get here. */
export function sqlStates(states: readonly JobState[]): string {
  return states.map((state) => `'${state}'::job_state`).join(',');
}
