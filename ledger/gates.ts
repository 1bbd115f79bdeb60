// The gates of the providers. Each is a shared row that says until when nobody calls it, who may then look whether it is back (one
// probe, however many processes), and since when it is open again. Database time. Each probe that fails closes it for twice
// as long; closed again within a minute of its opening, it goes on from half of these steps.
import type { Db } from './db.ts';
import { gateOf, rowOf } from './gate-rows.ts';

export interface Closing {
  /** All for one reason, and so that it is news once: a key is refused to each model. */
  gates: readonly string[];
  reason: 'unavailable' | 'rate_limited' | 'auth' | 'quota_exhausted';
  /** How long the first time, in ms; doubled each time in a row, up to `capMs`. */
  baseMs: number;
  capMs: number;
  /** The work process. */
  by: string;
  /** The claim under which this process was probing, if it was. */
  probeId: string | undefined;
  /** How long ago the call was sent that this is about, in ms. */
  ageMs?: number;
}

/** What a process needs to know before it calls. */
export interface GateRow {
  reason: string;
  /** Milliseconds until a probe is welcome; negative when that time has passed. */
  waitMs: number;
  /** Milliseconds for which somebody else's probe is to be waited for; undefined when none is under way. */
  probeMs: number | undefined;
  /** True while everybody may call. */
  open: boolean;
  /** Names the last opening, for ten minutes after it: calls come back few at first. */
  opening: number | undefined;
  /** Calls at once that the vendor allows all processes together, while it is believed. */
  maxCalls: number | undefined;
}

const now = 'statement_timestamp()';
const waiting = `g.open_until > ${now}`;
const shut = `(${waiting} OR g.reopened_at IS NULL)`;
const probing = `coalesce(g.probe_until > ${now}, false)`;

// A closing within a minute of the last opening, or after a probe that failed, is the same bad day going on.
const recent = `(g.reopened_at IS NULL OR g.reopened_at > ${now} - interval '1 minute')`;
const closings = `CASE WHEN ${waiting} THEN g.closings
  ELSE CASE WHEN ${recent} THEN g.closings ELSE 0 END + ($4::float8 < $5::float8)::int END`;
const until = `${now} + least($4::float8 * 2 ^ least(greatest((${closings}) - 1, 0), 30), $5::float8) * interval '1 ms'`;

// Calls that were sent before the gate was closed go on failing after it, and after its opening: they must neither lengthen the
// time nor end the probe of another process, nor close it again. An operator's word is not overruled by them either.
const closeRow = {
  name: 'gate_close',
  text: `INSERT INTO gate AS g (provider, reason, closed_by, closed_at, closings, open_until, updated_at)
    SELECT name, $2, $3, ${now}, ($4::float8 < $5::float8)::int, ${now} + $4::float8 * interval '1 ms', ${now}
    FROM unnest($1::text[]) AS t(name) ORDER BY name
    ON CONFLICT (provider) DO UPDATE SET reason = excluded.reason, closed_by = excluded.closed_by, note = NULL,
      closed_at = CASE WHEN ${shut} AND g.reason = excluded.reason THEN coalesce(g.closed_at, ${now}) ELSE ${now} END,
      closings = ${closings}, open_until = greatest(g.open_until, ${until}),
      probe_id = NULL, probe_until = NULL, reopened_at = NULL, updated_at = ${now}
    WHERE NOT (${waiting} AND (g.reason = 'operator' OR excluded.reason = 'unavailable' OR ${until} <= g.open_until))
      AND NOT (${probing} AND excluded.reason = 'unavailable' AND g.probe_id IS DISTINCT FROM $6::uuid)
      AND NOT (excluded.reason = 'unavailable' AND coalesce(g.reopened_at > ${now} - $7::float8 * interval '1 ms', false))
    RETURNING g.closed_at = g.updated_at
      AND NOT EXISTS (SELECT 1 FROM gate g WHERE g.provider = ANY($1) AND g.reason = $2 AND ${shut}) AS fresh`,
};

const claimRow = {
  name: 'gate_claim',
  text: `UPDATE gate g SET probe_id = $2, probe_until = ${now} + $3::float8 * interval '1 ms', updated_at = ${now}
    WHERE g.provider = $1 AND NOT (${waiting}) AND g.reopened_at IS NULL AND NOT ${probing} RETURNING 1`,
};

const releaseRow = {
  name: 'gate_release',
  text: `UPDATE gate SET probe_id = NULL, probe_until = NULL WHERE provider = $1 AND probe_id = $2`,
};

const reopenRow = {
  name: 'gate_reopen',
  text: `UPDATE gate g SET reason = CASE WHEN g.reason = 'operator' THEN 'unavailable' ELSE g.reason END, reopened_at = ${now},
      closings = g.closings / 2, probe_id = NULL, probe_until = NULL, updated_at = ${now}
    WHERE g.provider = $1 AND g.probe_id = $2 AND NOT (${waiting}) RETURNING 1`,
};

const tripRow = {
  name: 'gate_trip',
  text: `INSERT INTO gate AS g (provider, reason, note, closed_by, closed_at, open_until, updated_at)
    SELECT name, 'operator', $2, coalesce((SELECT 'key ' || k.name FROM api_key k WHERE k.id::text = $3), $3), ${now},
      ${now} + $4::float8 * interval '1 ms', ${now}
    FROM unnest($1::text[]) AS t(name) ORDER BY name
    ON CONFLICT (provider) DO UPDATE SET reason = 'operator', note = excluded.note, closed_by = excluded.closed_by,
      closed_at = CASE WHEN ${waiting} AND g.reason = 'operator' THEN g.closed_at ELSE ${now} END,
      open_until = excluded.open_until, probe_id = NULL, probe_until = NULL, reopened_at = NULL, updated_at = ${now}`,
};

const resetRow = {
  name: 'gate_reset',
  text: `WITH held AS (SELECT provider FROM gate WHERE provider = ANY($1) ORDER BY provider FOR UPDATE)
    UPDATE gate g SET reason = 'operator', open_until = least(g.open_until, ${now}), reopened_at = ${now}, probe_id = NULL, probe_until = NULL,
      closings = 0, max_calls = NULL, max_calls_until = NULL, updated_at = ${now}
    FROM held WHERE g.provider = held.provider AND (${shut} OR g.max_calls IS NOT NULL)`,
};

// A row that only holds a limit was never closed.
const limitRow = {
  name: 'gate_limit',
  text: `INSERT INTO gate (provider, reason, open_until, reopened_at, max_calls, max_calls_until)
    VALUES ($1, 'rate_limited', ${now}, ${now} - interval '1 day', $2, ${now} + $3::float8 * interval '1 ms')
    ON CONFLICT (provider) DO UPDATE SET max_calls = excluded.max_calls, max_calls_until = excluded.max_calls_until`,
};

const readRows = {
  name: 'gate_read',
  text: `SELECT provider, reason, extract(epoch FROM open_until - ${now})::float8 * 1000 AS wait_ms,
      extract(epoch FROM probe_until - ${now})::float8 * 1000 AS probe_ms,
      reopened_at IS NOT NULL AND open_until <= ${now} AS open,
      CASE WHEN reopened_at > ${now} - interval '10 minutes' THEN extract(epoch FROM reopened_at)::float8 * 1000 END AS opening,
      CASE WHEN max_calls_until > ${now} THEN max_calls END AS max_calls,
      (SELECT count(*)::int FROM worker WHERE stopped_at IS NULL AND seen_at > ${now} - interval '20 s') AS processes
    FROM gate`,
};

const waitRow = {
  name: 'gate_wait',
  text: `SELECT greatest(extract(epoch FROM g.open_until - ${now})::float8 * 1000, 1000) AS wait_ms
    FROM gate g WHERE g.provider = $1 AND ${shut}`,
};

const unansweredRow = {
  name: 'gate_unanswered',
  text: `SELECT count(*)::int AS count FROM attempt WHERE job_id = $1 AND outcome = 'snoozed' AND code = 'unknown_outcome'`,
};

// An operator's reset is a wish and proves nothing. Between the job's last wait for a provider and its running attempt: what it did itself in this attempt proves nothing against it.
const provenRow = {
  name: 'gate_proven',
  text: `SELECT 1 FROM gate g JOIN job j ON j.id = $1 WHERE g.provider = $2 AND g.reason <> 'operator' AND g.reopened_at < j.started_at
    AND g.reopened_at > (SELECT max(a.ended_at) FROM attempt a
      WHERE a.job_id = $1 AND a.outcome = 'snoozed' AND a.code IN ('unavailable', 'timeout', 'unknown_outcome'))`,
};

/** Closes them for everybody. True when this is news: none of them was closed for this reason. */
export async function closeGates(db: Db, closing: Closing): Promise<boolean> {
  const { gates, reason, by, baseMs, capMs, probeId = null, ageMs = 0 } = closing;
  const values = [gates.map(rowOf), reason, by, baseMs, Math.max(baseMs, capMs), probeId, ageMs];
  const rows = await db.run<{ fresh: boolean }>(closeRow, values);
  return rows.some(({ fresh }) => fresh);
}

/** Whether this process is the one that looks whether the provider is back; it must tell within `forMs`. */
export async function claimProbe(db: Db, gate: string, probeId: string, forMs: number): Promise<boolean> {
  return (await db.run(claimRow, [rowOf(gate), probeId, forMs])).length > 0;
}

/** The probe told nothing: the next one may try at once. */
export async function releaseProbe(db: Db, gate: string, probeId: string): Promise<void> {
  await db.run(releaseRow, [rowOf(gate), probeId]);
}

/** The provider answered the probe. False when the claim had run out or an operator has closed it meanwhile. */
export async function reopenGate(db: Db, gate: string, probeId: string): Promise<boolean> {
  return (await db.run(reopenRow, [rowOf(gate), probeId])).length > 0;
}

/** An operator closes them from now for `forMs`, whatever they were before. `by`: the id of a key, or a name. */
export async function tripGates(
  db: Db,
  trip: { gates: readonly string[]; forMs: number; note: string; by: string },
): Promise<void> {
  await db.run(tripRow, [trip.gates.map(rowOf), trip.note, trip.by, trip.forMs]);
}

/** An operator opens them: calls come back, few at first, and a learnt limit is forgotten. */
export async function resetGates(db: Db, gates: readonly string[]): Promise<void> {
  await db.run(resetRow, [gates.map(rowOf)]);
}

/** The vendor said how many calls at once it takes from all of us; believed for `forMs`. */
export async function limitCalls(db: Db, gate: string, maxCalls: number, forMs: number): Promise<void> {
  await db.run(limitRow, [rowOf(gate), maxCalls, forMs]);
}

interface ReadRow {
  provider: string;
  reason: string;
  wait_ms: number;
  probe_ms: number | null;
  open: boolean;
  opening: number | null;
  max_calls: number | null;
  processes: number;
}

/** Every gate that was ever touched, by its name, and how many work processes share the providers. One cheap query. */
export async function readGates(db: Db): Promise<{ gates: Map<string, GateRow>; processes: number }> {
  const rows = await db.run<ReadRow>(readRows, []);
  const gates = rows.map((row): [string, GateRow] => [gateOf(row.provider), toGate(row)]);
  return { gates: new Map(gates), processes: Math.max(1, rows[0]?.processes ?? 1) };
}

function toGate(row: ReadRow): GateRow {
  return {
    reason: row.reason,
    waitMs: row.wait_ms,
    probeMs: row.probe_ms !== null && row.probe_ms > 0 ? row.probe_ms : undefined,
    open: row.open,
    opening: row.opening ?? undefined,
    maxCalls: row.max_calls ?? undefined,
  };
}

/** Milliseconds until the gate may be passed again (at least a second), or undefined when it may. */
export async function gateMs(db: Db, gate: string): Promise<number | undefined> {
  const [row] = await db.run<{ wait_ms: number }>(waitRow, [rowOf(gate)]);
  return row?.wait_ms;
}

/** How often a call of the job was left without an answer and cost no attempt. */
export async function countUnanswered(db: Db, jobId: string): Promise<number> {
  const [row] = await db.run<{ count: number }>(unansweredRow, [jobId]);
  return row?.count ?? 0;
}

/** Whether the gate has been opened since the job last waited for a provider that was away, and before it runs now. */
export async function isProvenBack(db: Db, jobId: string, gate: string): Promise<boolean> {
  return (await db.run(provenRow, [jobId, rowOf(gate)])).length > 0;
}
