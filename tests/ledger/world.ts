// A database of its own with the ledger on top, and the shortest ways to put jobs and keys into it.
import { checkJob } from '../../queues/check.ts';
import { registry } from '../../queues/index.ts';
import { sha256 } from '../../shared/text.ts';
import { createEvents, type EventBus } from '../../shared/events.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { createEnqueue, type Enqueue } from '../../ledger/enqueue.ts';
import { newJob, type Dispatch, type NewJob } from '../../ledger/insert.ts';
import { createDatabase } from '../support/database.ts';

export interface LedgerWorld {
  url: string;
  db: Db;
  events: EventBus;
  enqueue: Enqueue;
  /** Every batch of rows that was handed on after a commit. */
  committed: (readonly Dispatch[])[];
  close: () => Promise<void>;
}

export async function openLedger(): Promise<LedgerWorld> {
  const database = await createDatabase();
  const events = createEvents();
  const db = openDb({ url: database.url, poolSize: 10, statementTimeoutMs: 5_000, emit: events.emit });
  const committed: (readonly Dispatch[])[] = [];
  const enqueue = createEnqueue({ db, emit: events.emit, onCommitted: (rows) => void committed.push(rows) });
  return {
    url: database.url,
    db,
    events,
    enqueue,
    committed,
    async close() {
      await db.close();
      await database.drop();
    },
  };
}

export const story = { childName: 'Ada', age: 6, theme: 'the sea' };

/** The row of a checked generate-story; `change` overrides its columns. */
export function storyJob(change: Partial<NewJob> = {}): NewJob {
  const checked = checkJob(registry, { kind: 'generate-story', payload: story }, Date.now());
  return { ...newJob(checked, { tenant: 'acme', source: 'api' }), ...change };
}

/** Inserts a job and gives its id. */
export async function addJob(world: LedgerWorld, change: Partial<NewJob> = {}): Promise<string> {
  const { id } = await world.enqueue({ job: storyJob(change), key: undefined });
  return id;
}

/** Runs a statement of a test. */
export function query<Row extends object>(
  world: LedgerWorld,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return world.db.run<Row>({ name: `test_${sha256(text).toString('hex').slice(0, 20)}`, text }, values);
}

/** Sets columns of one job as if it had lived: only our own literals get here. */
export async function setJob(world: LedgerWorld, id: string, assignments: string): Promise<void> {
  await query(world, `UPDATE job SET ${assignments} WHERE id = $1`, [id]);
}

export async function stateOf(world: LedgerWorld, id: string): Promise<string | undefined> {
  const rows = await query<{ state: string }>(world, 'SELECT state FROM job WHERE id = $1', [id]);
  return rows[0]?.state;
}

export async function countRows(world: LedgerWorld, table: 'job' | 'idempotency'): Promise<number> {
  const rows = await query<{ count: number }>(world, `SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}
