// Who does a duty: a row with a holder and an end, in database time. Every duty is safe with two leaders; this only
// spares the work. A leader that dies is followed when its time has passed.
import type { Db } from './db.ts';

const takeRow = {
  name: 'leader_take',
  text: `INSERT INTO leader AS l (duty, holder, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
    ON CONFLICT (duty) DO UPDATE SET holder = excluded.holder, until = excluded.until
      WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
    RETURNING holder`,
};

const leaveRow = { name: 'leader_leave', text: `DELETE FROM leader WHERE duty = $1 AND holder = $2` };

/** Takes or keeps the lead; false when somebody else has it. */
export async function takeLead(db: Db, duty: string, holder: string, forMs: number): Promise<boolean> {
  return (await db.run(takeRow, [duty, holder, forMs])).length > 0;
}

export async function leaveLead(db: Db, duty: string, holder: string): Promise<void> {
  await db.run(leaveRow, [duty, holder]);
}
