// Covers: ledger/recover.ts, ledger/recover-all.ts, ledger/epoch.ts
// The comparison of ledger and engine, with an engine in memory: which job is in it is what these tests vary.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { engineId, type Epoch, type Held } from '../../engine/types.ts';
import { doubtOf, underNewEpoch } from '../../ledger/epoch.ts';
import type { Dispatch } from '../../ledger/insert.ts';
import { recoverAll } from '../../ledger/recover-all.ts';
import { recoverSome, walkDispatched } from '../../ledger/recover.ts';
import { addJob, openLedger, query, setJob, type LedgerWorld } from './world.ts';

const queue = 'story-generation';
let world: LedgerWorld;
let entries: Map<string, Held>;
let carried: Dispatch[];
beforeEach(async () => {
  world = await openLedger();
  entries = new Map();
  carried = [];
});
afterEach(() => world.close());

const broker = {
  held: (_queue: string, ids: readonly string[]) =>
    Promise.resolve(new Map([...entries].filter(([id]) => ids.includes(id)))),
};
const relay = {
  carry(rows: readonly Dispatch[]) {
    carried.push(...rows);
    for (const { id, generation } of rows) entries.set(engineId({ jobId: id, generation }), 'queued');
    return Promise.resolve(rows.length);
  },
};

interface Row {
  generation: number;
  state: string;
  dispatched: boolean;
}

async function rowOf(id: string): Promise<Row | undefined> {
  const text = `SELECT generation, state, dispatched_at IS NOT NULL AS dispatched FROM job WHERE id = $1`;
  return (await query<Row>(world, text, [id]))[0];
}

/** A job that was given to the engine, in this state. */
async function given(state: string, more = ''): Promise<string> {
  const id = await addJob(world);
  await setJob(world, id, `state = '${state}', dispatched_at = now() - interval '1 min'${more}`);
  return id;
}

const all = (dryRun = false) => recoverAll({ db: world.db, broker, relay, queues: [queue, 'email'], dryRun });

test('what the engine has lost is given to it again with its remaining delay; all else is left alone', async () => {
  const lost = await given('waiting');
  const later = await given('retrying', `, run_at = now() + interval '1 hour'`);
  const snoozed = await given('snoozed', `, run_at = now() - interval '2 hours'`);
  const [kept, delivered] = [await given('waiting'), await given('scheduled')];
  entries.set(`${kept}-1`, 'queued').set(`${delivered}-1`, 'active');
  const [running, dead, blocked] = [await given('running'), await given('dead'), await given('blocked')];
  const onItsWay = await addJob(world);
  const forgotten = [
    { queue, state: 'waiting', jobs: 1 },
    { queue, state: 'retrying', jobs: 1 },
    { queue, state: 'snoozed', jobs: 1 },
  ];
  expect(await all(true)).toEqual({ compared: 5, forgotten, broughtBack: 0 });
  expect(carried).toEqual([]);
  expect(await all()).toEqual({ compared: 5, forgotten, broughtBack: 3 });
  expect(new Set(carried.map(({ id }) => id))).toEqual(new Set([lost, later, snoozed]));
  expect(carried.every(({ generation, queue: name }) => generation === 2 && name === queue)).toBe(true);
  const delays = new Map(carried.map(({ id, delayMs }) => [id, delayMs]));
  expect(delays.get(later)).toBeGreaterThan(3_590_000);
  expect([delays.get(lost), delays.get(snoozed)]).toEqual([0, 0]);
  expect(await rowOf(later)).toEqual({ generation: 2, state: 'retrying', dispatched: false });
  for (const id of [kept, delivered, running, dead, blocked, onItsWay])
    expect(await rowOf(id)).toMatchObject({ generation: 1 });
  expect(await all()).toMatchObject({ forgotten: [], broughtBack: 0 });
});

test('three recoveries at once bring each of many jobs back once, page after page', async () => {
  await Promise.all(Array.from({ length: 1_500 }, () => addJob(world)));
  // One moment for all of them: the order within it must not lose any.
  await query(world, `UPDATE job SET dispatched_at = now(), run_at = '2026-01-01 00:00:00.123456Z'`);
  const results = await Promise.all([all(), all(), all()]);
  expect(results.reduce((sum, { broughtBack }) => sum + broughtBack, 0)).toBe(1_500);
  expect(new Set(carried.map(({ id }) => id)).size).toBe(1_500);
  expect(carried).toHaveLength(1_500);
  const [row] = await query<{ jobs: number }>(
    world,
    'SELECT count(*)::int AS jobs FROM job WHERE generation = 2',
  );
  expect(row?.jobs).toBe(1_500);
});

test('a job that began or ended between the look and the write is not brought back', async () => {
  const [begun, again] = [await given('waiting'), await given('waiting')];
  const slow = {
    async held() {
      await setJob(world, begun, `state = 'running'`);
      await setJob(world, again, 'generation = 5');
      return new Map<string, Held>();
    },
  };
  const found = await recoverAll({ db: world.db, broker: slow, relay, queues: [queue] });
  expect(found).toMatchObject({ compared: 2, broughtBack: 0 });
  expect(await rowOf(again)).toMatchObject({ generation: 5 });
});

test('a walk goes round in steps, and further while everything is lost', async () => {
  const ids = [await given('waiting'), await given('waiting'), await given('waiting')];
  const walk = walkDispatched(world.db, { queues: [queue], size: 1, dueForMs: 500 });
  await query(world, `UPDATE job SET run_at = now() - interval '1 min'`);
  const step = () => recoverSome({ db: world.db, broker, relay }, walk, { rows: 1, ways: ['queued'] });
  for (const id of ids) entries.set(`${id}-1`, 'queued');
  expect([await step(), await step()]).toEqual([0, 0]);
  entries.clear();
  expect([await step(), await step()]).toEqual([1, 2]);
  entries.clear();
  await query(world, `UPDATE job SET dispatched_at = now() - interval '1 min'`);
  for (const id of ids) entries.set(`${id}-2`, 'active');
  const spared = { rows: 3, ways: ['queued'], spare: () => true } as const;
  expect(await recoverSome({ db: world.db, broker, relay }, walk, spared)).toBe(0);
  expect([await step(), await step()]).toEqual([0, 3]); // the end of the round, then all of them
  entries.clear();
  await query(world, `UPDATE job SET dispatched_at = now() - interval '1 min'`);
  const most = { rows: 1, atMost: 2, ways: ['queued'] } as const;
  expect(await recoverSome({ db: world.db, broker, relay }, walk, most)).toBe(2);
});

test('an engine is doubted when its canary is missing, foreign, older or of another start', async () => {
  let shown: Epoch | undefined;
  const engine = {
    readEpoch: () => Promise.resolve(shown && { ...shown, count: (shown.count += 1) }),
    writeEpoch: (epoch: string) => Promise.resolve({ ...(shown = { epoch, count: 1, instance: 'a' }) }),
  };
  expect(await doubtOf(world.db, engine)).toBe('new');
  await expect(underNewEpoch(world.db, engine, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await doubtOf(world.db, engine)).toBe('new');
  expect(await underNewEpoch(world.db, engine, () => Promise.resolve(3))).toBe(3);
  for (let look = 0; look < 3; look += 1) expect(await doubtOf(world.db, engine)).toBeUndefined();
  const copy = { ...(shown as unknown as Epoch), count: 2 };
  shown = { ...copy };
  expect(await doubtOf(world.db, engine)).toBe('older');
  shown = { ...copy, count: 50, instance: 'b' };
  expect(await doubtOf(world.db, engine)).toBe('restarted');
  shown = { ...copy, epoch: newId(), count: 50 };
  expect(await doubtOf(world.db, engine)).toBe('foreign');
  shown = undefined;
  expect(await doubtOf(world.db, engine)).toBe('missing');
  await underNewEpoch(world.db, engine, () => Promise.resolve());
  expect(await doubtOf(world.db, engine)).toBeUndefined();
});
