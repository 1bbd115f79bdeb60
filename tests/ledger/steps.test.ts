// Covers: ledger/artifacts.ts, ledger/charges.ts
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Charge } from '../../shared/call.ts';
import { estimate } from '../../ledger/charges.ts';
import { readArtifact } from '../../ledger/artifacts.ts';
import { openDb, type Tx } from '../../ledger/db.ts';
import { FencedError } from '../../ledger/fence.ts';
import {
  commitLostCharges,
  commitStep,
  mayHaveLost,
  readSteps,
  type StepCommit,
} from '../../ledger/steps.ts';
import { pretendDate } from '../support/date.ts';
import { startProxy } from '../support/proxy.ts';
import { persist } from '../../workers/persist.ts';
import { openLives, type Lives } from './lives.ts';
import { query, setJob } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

function step<T>(value: T, more: Partial<StepCommit<T>> = {}): StepCommit<T> {
  return { name: 'write', value, charges: [], durationMs: 1, ...more };
}

const tokens: Charge = {
  provider: 'gemini',
  model: 'model-x',
  usage: [
    { unit: 'input_token', quantity: 1_000 },
    { unit: 'output_token', quantity: 10 },
  ],
};

async function save(tx: Tx): Promise<void> {
  await tx.gate.create({ data: { provider: 'saved', openUntil: new Date(), reason: 'by a step' } });
}

async function chargesOf(jobId: string): Promise<{ step: string; micro_usd: string }[]> {
  return query(lives, 'SELECT step, micro_usd FROM charge WHERE job_id = $1 ORDER BY created_at', [jobId]);
}

test('a retry is given what the first run was given: dates as text, nothing as null', async () => {
  const begun = await lives.start();
  const values: unknown[] = [
    { at: new Date(0), left: undefined, big: 7n },
    null,
    undefined,
    [1, 'two'],
    'text',
    0,
    false,
  ];
  const first = [];
  for (const [index, value] of values.entries())
    first.push((await commitStep(lives.db, begun, step(value, { name: `step ${index}` }))).value);
  const remembered = await readSteps(lives.db, begun.jobId);
  expect(values.map((_, index) => remembered.get(`step ${index}`))).toEqual(first);
  expect(first).toEqual([
    { at: '1970-01-01T00:00:00.000Z', big: '7' },
    null,
    null,
    [1, 'two'],
    'text',
    0,
    false,
  ]);
});

test('bytes become artifacts of the job and come back as they were, with their type', async () => {
  const begun = await lives.start();
  const bytes = new Uint8Array(70_000).map((_, index) => index % 251);
  const { value } = await commitStep(
    lives.db,
    begun,
    step({ bytes, contentType: 'image/png', alt: 'a sea' }),
  );
  expect(value).toMatchObject({ alt: 'a sea', bytes: { contentType: 'image/png', size: 70_000 } });
  const stored = await readArtifact(lives.db, value.bytes.artifactId, 'acme');
  expect(Buffer.from(stored.bytes).equals(Buffer.from(bytes))).toBe(true);
  await expect(readArtifact(lives.db, value.bytes.artifactId, 'somebody else')).rejects.toMatchObject({
    code: 'bad_input',
  });
});

test('a result over 64 kB is kept beside the job and remembered in full', async () => {
  const begun = await lives.start();
  const value = { text: 'ä'.repeat(40_000) };
  await commitStep(lives.db, begun, step(value));
  expect((await readSteps(lives.db, begun.jobId)).get('write')).toEqual(value);
  const [row] = await query<{ result: unknown; artifact_id: string }>(
    lives,
    'SELECT result, artifact_id FROM step WHERE job_id = $1',
    [begun.jobId],
  );
  expect(row).toMatchObject({ result: null, artifact_id: expect.any(String) });
  // Not among those that have had their time, which the pruner reads every minute.
  const text = `SELECT expires_at > now() + interval '50 years' AS kept FROM artifact WHERE id = $1`;
  expect(await query(lives, text, [row?.artifact_id])).toEqual([{ kept: true }]);
});

test('domain rows commit with the step or not at all', async () => {
  const begun = await lives.start();
  const fails = async (tx: Tx): Promise<void> => {
    await save(tx);
    throw new Error('the domain says no');
  };
  await expect(commitStep(lives.db, begun, step('x', { save: fails, charges: [tokens] }))).rejects.toThrow(
    'says no',
  );
  expect([await lives.db.prisma.gate.count(), (await readSteps(lives.db, begun.jobId)).size]).toEqual([0, 0]);
  expect(await chargesOf(begun.jobId)).toEqual([]);
  await commitStep(lives.db, begun, step('x', { save }));
  expect([await lives.db.prisma.gate.count(), (await readSteps(lives.db, begun.jobId)).size]).toEqual([1, 1]);
});

test('an attempt that was taken over stores nothing, but its lost charges are written', async () => {
  const begun = await lives.start();
  await setJob(lives, begun.jobId, 'attempt_no = 2');
  await expect(commitStep(lives.db, begun, step('late', { charges: [tokens] }))).rejects.toThrow(FencedError);
  expect((await readSteps(lives.db, begun.jobId)).size).toBe(0);
  await commitLostCharges(lives.db, begun, 'write', [tokens]);
  expect(await chargesOf(begun.jobId)).toMatchObject([{ step: 'write' }]);
});

test('a charge is priced by the newest price not later than now, a model of its own before any', async () => {
  await query(
    lives,
    `INSERT INTO price (provider, model, unit, valid_from, micro_usd, source) VALUES
      ('gemini', 'model-x', 'input_token', '2020-01-01', 9, 'test'), ('gemini', 'model-x', 'input_token', '2021-01-01', 0.25, 'test'),
      ('gemini', 'model-x', 'input_token', '2999-01-01', 77, 'test'), ('gemini', 'model-x', 'output_token', '2021-01-01', 2.5, 'test')`,
  );
  const begun = await lives.start();
  const { microUsd } = await commitStep(lives.db, begun, step('x', { charges: [tokens] }));
  expect(microUsd).toEqual([275]);
  expect((await chargesOf(begun.jobId)).map((row) => Number(row.micro_usd))).toEqual([275]);
  const any = [{ model: '*', unit: 'input_token', microUsd: '2' }];
  expect(estimate(any, { ...tokens, model: 'model-y' })).toBe(2_000);
  expect(estimate([], tokens)).toBe(0);
  const family = [{ model: 'model', unit: 'input_token', microUsd: '5' }, ...any];
  expect(estimate(family, { ...tokens, model: 'model-preview-01' })).toBe(5_000);
  expect(estimate(family, { ...tokens, model: 'modelled' })).toBe(2_000);
});

test('a charge and its step are dated by the database, however wrong the clock of this process is', async () => {
  const begun = await lives.start();
  pretendDate(0);
  try {
    await commitStep(lives.db, begun, step('x', { charges: [tokens] }));
  } finally {
    jest.useRealTimers();
  }
  const dated = await query<{ late: boolean }>(
    lives,
    `SELECT created_at < now() - interval '1 min' AS late FROM charge WHERE job_id = $1
     UNION ALL SELECT created_at < now() - interval '1 min' FROM step WHERE job_id = $1`,
    [begun.jobId],
  );
  expect(dated).toEqual([{ late: false }, { late: false }]);
});

test('a step whose commit was answered by a broken connection is stored and charged once', async () => {
  const begun = await lives.start();
  const proxy = await startProxy(lives.url);
  const db = openDb({ url: proxy.url, poolSize: 2, statementTimeoutMs: 2_000, emit: () => undefined });
  const lost = proxy.loseNextAnswer((request) => request.includes('COMMIT'));
  const commit = step({ text: 'once' }, { charges: [tokens] });
  const { value } = await persist(() => commitStep(db, begun, commit), new AbortController().signal);
  await lost;
  expect(value).toEqual({ text: 'once' });
  expect(await chargesOf(begun.jobId)).toHaveLength(1);
  await db.close();
  await proxy.close();
});

test('the charges of a lost step are written once, however often their write is sent, and so are those of one request', async () => {
  const begun = await lives.start();
  const twice = [tokens, { ...tokens, requestId: 'request-1' }];
  for (let sent = 0; sent < 2; sent += 1) await commitLostCharges(lives.db, begun, 'write', twice);
  expect(await chargesOf(begun.jobId)).toHaveLength(2);
  // A later attempt found the answer of the earlier one's request, and paid for a second call without a name.
  await setJob(lives, begun.jobId, 'attempt_no = 2');
  await commitStep(lives.db, { ...begun, attemptNo: 2 }, step('found', { charges: twice }));
  expect(await chargesOf(begun.jobId)).toHaveLength(3);
});

test('whatever a vendor claims to have used can be stored: an answer that was paid for is never lost to its bill', async () => {
  const begun = await lives.start();
  const odd = {
    ...tokens,
    model: `m\u0000${'x'.repeat(500)}`,
    requestId: `r\u0000\ud800${'y'.repeat(5_000)}`,
    usage: [1e308, Number.NaN, -5].map((quantity) => ({ unit: 'input_token', quantity })),
  };
  await commitStep(lives.db, begun, step('kept', { charges: [odd] }));
  const [charge] = await chargesOf(begun.jobId);
  expect(Number(charge?.micro_usd)).toBeLessThanOrEqual(1e12);
});

test('an answer may be lost where an attempt ended in any way but at the closed gate of the one who can be asked', async () => {
  const begun = await lives.start();
  const ended = (outcome: string, message: string, attemptNo: number) =>
    query(
      lives,
      `INSERT INTO attempt (job_id, attempt_no, generation, outcome, message, worker_id, started_at, ended_at)
       VALUES ($1, $2, 1, $3::attempt_outcome, $4, $1, now(), now())`,
      [begun.jobId, attemptNo, outcome, message],
    );
  const shut = 'elevenlabs speak failed: its gate is closed (unavailable); it is tried again later';
  const third = { ...begun, attemptNo: 3 };
  await ended('snoozed', shut, 1);
  await ended('snoozed', shut.replace('speak', 'history'), 2);
  expect(await mayHaveLost(lives.db, third)).toBe(false);
  for (const [outcome, message] of [
    ['crashed', 'its process died'],
    ['interrupted', ''],
    ['snoozed', shut.replace('elevenlabs', 'deepgram')],
    ['snoozed', 'elevenlabs speak failed: 503 no reason given; it is tried again later'],
    ['failed', shut],
  ] as const) {
    await query(lives, 'DELETE FROM attempt WHERE job_id = $1 AND attempt_no = 2', [begun.jobId]);
    await ended(outcome, message, 2);
    expect([outcome, await mayHaveLost(lives.db, third)]).toEqual([outcome, true]);
  }
  expect(await mayHaveLost(lives.db, { ...begun, attemptNo: 1 })).toBe(false);
});
