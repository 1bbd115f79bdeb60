// The quarantine lane in the ledger: which engine queue a job goes to, how deep the lane is, who waits before it. A job
// keeps its own queue: only its way through the engine changes.
import { crashesToLane, laneRoom } from '../queues/quarantine.ts';
import type { Db } from './db.ts';
import { claim, type Dispatch } from './insert.ts';
import { sqlStates, startableStates } from './moves.ts';
import { dispatchColumns, toDispatch, type DispatchRow } from './waiters.ts';

/** `parked_for` of a job that the full lane did not take. */
export const parkedForLane = 'quarantine';

const inLane = `crashes >= ${crashesToLane} AND state IN (${sqlStates([...startableStates, 'running'])})`;

/** How many jobs the lane could still take, as SQL; at most `laneRoom`. */
export const roomInLane = `(SELECT greatest(0, ${laneRoom} - count(*)) FROM job WHERE ${inLane})`;

/** The leader row of the process that serves the lane. */
export const laneDuty = 'quarantine';

const due = `EXISTS (SELECT 1 FROM job WHERE ${inLane} AND run_at <= statement_timestamp())`;
const workRow = { name: 'lane_work', text: `SELECT ${due} AS yes` };
const wantRow = {
  name: 'lane_want',
  text: `SELECT ${due} AND NOT EXISTS (
      SELECT 1 FROM leader WHERE duty = '${laneDuty}' AND until > clock_timestamp()) AS yes`,
};

async function ask(db: Db, question: typeof workRow): Promise<boolean> {
  const [row] = await db.run<{ yes: boolean }>(question, []);
  return row?.yes === true;
}

/** Whether the lane has work now: a job that is due, or one that runs. */
export const laneHasWork = (db: Db): Promise<boolean> => ask(db, workRow);

/** Whether it has work, and no process that serves it. */
export const laneWantsProcess = (db: Db): Promise<boolean> => ask(db, wantRow);

// Also one whose process came back and was acquitted: it goes by its own queue again.
const freeRows = {
  name: 'lane_free',
  text: `WITH first AS (
      SELECT id FROM job WHERE state = 'parked' AND parked_for = '${parkedForLane}'
      ORDER BY run_at LIMIT ${roomInLane} FOR UPDATE SKIP LOCKED)
    UPDATE job j SET state = 'waiting', parked_for = NULL, generation = j.generation + 1, dispatched_at = NULL, claimed_until = ${claim}
    FROM first WHERE j.id = first.id RETURNING ${dispatchColumns('j')}`,
};

/** Sets parked jobs waiting as far as the lane has room, those that are due for longest first. */
export async function freeParked(db: Db): Promise<Dispatch[]> {
  return (await db.run<DispatchRow>(freeRows, [])).map(toDispatch);
}
