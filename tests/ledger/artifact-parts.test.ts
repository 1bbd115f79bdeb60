// Covers: ledger/fence.ts
// Files in parts: whole or not there, whoever writes them and however often; and never more of one in memory than a part or two.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sha256 } from '../../shared/text.ts';
import { Draft, keepFile, partBytes } from '../../ledger/artifact-parts.ts';
import { readArtifact } from '../../ledger/artifacts.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { FencedError } from '../../ledger/fence.ts';
import { prune } from '../../ledger/retention.ts';
import { commitStep, readSteps, type StepCommit } from '../../ledger/steps.ts';
import { startProxy } from '../support/proxy.ts';
import { persist } from '../../workers/persist.ts';
import { bytesOf, chunksOf, download, filesOf, keep, storeFile } from './files.ts';
import { openLives, type Lives } from './lives.ts';
import { setJob } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

const { signal } = new AbortController();

function step<T>(value: T, more: Partial<StepCommit<T>> = {}): StepCommit<T> {
  return { name: 'write', value, charges: [], durationMs: 1, ...more };
}

test.each([
  ['empty', 0, 0],
  ['of one byte', 1, 0],
  ['of exactly one part', partBytes, 0],
  ['of one part and a byte', partBytes + 1, 2],
  ['of exactly three parts', 3 * partBytes, 3],
])('a file %s is read as it was written', async (_, size, parts) => {
  const begun = await lives.start();
  const bytes = bytesOf(size);
  const file = await keep(lives, begun, chunksOf(bytes));
  const { value } = await commitStep(lives.db, begun, step({ file, contentType: 'text/csv' }));
  expect(value.file).toMatchObject({ contentType: 'text/csv', size, sha256: sha256(bytes).toString('hex') });
  const id = value.file.artifactId;
  expect(await filesOf(lives, begun.jobId)).toEqual([{ id, draft: null, parts }]);
  const given = (await download(lives, id)) ?? [];
  expect(Buffer.concat(given).equals(bytes)).toBe(true);
  expect(Math.max(...given.map(({ length }) => length))).toBeLessThanOrEqual(partBytes);
});

test('however large the file, no more of it is asked for than a part that is not stored yet', async () => {
  const begun = await lives.start();
  let pulled = 0;
  let stored = 0;
  let peak = 0;
  const db: Db = {
    ...lives.db,
    async run(statement, values) {
      peak = Math.max(peak, pulled - stored);
      const rows = await lives.db.run<never>(statement, values);
      if (statement.name === 'draft_add') stored += partBytes;
      return rows;
    },
  };
  const chunks = chunksOf(bytesOf(12 * partBytes), (count) => (pulled = count));
  expect(await keepFile({ db, begun, signal }, chunks)).toMatchObject({ size: 12 * partBytes });
  expect([pulled, stored]).toEqual([12 * partBytes, 12 * partBytes]);
  expect(peak).toBeLessThan(1.1 * partBytes);
});

test('a draft is there for nobody until its step is stored with all that belongs to it', async () => {
  const begun = await lives.start();
  const file = await keep(lives, begun, chunksOf(bytesOf(2 * partBytes)));
  const [draft] = await filesOf(lives, begun.jobId);
  expect(draft).toMatchObject({ draft: begun.attemptNo, parts: 2 });
  const id = draft?.id ?? '';
  const refused = step({ file }, { save: () => Promise.reject(new Error('the domain says no')) });
  await expect(commitStep(lives.db, begun, refused)).rejects.toThrow('says no');
  expect(await download(lives, id)).toBeUndefined();
  await expect(readArtifact(lives.db, id)).rejects.toMatchObject({ code: 'bad_input' });
  await commitStep(lives.db, begun, step({ file }));
  expect(await download(lives, id)).toHaveLength(2);
});

test('a file in parts is too large for a job that wants all its bytes', async () => {
  const id = await storeFile(lives, await lives.start(), 1);
  await expect(readArtifact(lives.db, id, 'acme')).rejects.toMatchObject({
    code: 'bad_input',
    message: expect.stringContaining('too large'),
  });
});

test('an attempt that was taken over adds no part, and the file that it had finished is never served', async () => {
  const first = await lives.start();
  const finished = await keep(lives, first, chunksOf(bytesOf(2 * partBytes)));
  const takeOver = async (pulled: number): Promise<void> => {
    if (pulled > 2.5 * partBytes) await setJob(lives, first.jobId, 'attempt_no = 2');
  };
  const late = keep(lives, first, chunksOf(bytesOf(9 * partBytes), takeOver));
  await expect(late).rejects.toThrow(FencedError);
  await expect(commitStep(lives.db, first, step({ file: finished }))).rejects.toThrow(FencedError);
  await expect(keep(lives, first, chunksOf(bytesOf(2 * partBytes)))).rejects.toThrow(FencedError);
  const dead = await filesOf(lives, first.jobId);
  expect(dead.map(({ draft, parts }) => [draft, parts])).toEqual([
    [1, 2],
    [1, 2],
  ]);
  for (const { id } of dead) expect(await download(lives, id)).toBeUndefined();
});

test('an attempt after one that died begins the file again; what the dead one left goes, and nothing of a live one', async () => {
  const first = await lives.start();
  const other = await lives.start();
  await keep(lives, other, chunksOf(bytesOf(2 * partBytes)));
  await keep(lives, first, chunksOf(bytesOf(3 * partBytes)));
  await prune(lives.db);
  expect(await filesOf(lives, first.jobId)).toMatchObject([{ draft: 1, parts: 3 }]);
  await setJob(lives, first.jobId, 'attempt_no = 2');
  const second = { ...first, attemptNo: 2 };
  const bytes = bytesOf(2 * partBytes + 5);
  const file = await keep(lives, second, chunksOf(bytes));
  expect(await prune(lives.db)).toBe(3 + 1);
  expect(await filesOf(lives, other.jobId)).toMatchObject([{ draft: 1, parts: 2 }]);
  const { value } = await commitStep(lives.db, second, step({ file }));
  const id = value.file.artifactId;
  expect(await filesOf(lives, first.jobId)).toEqual([{ id, draft: null, parts: 3 }]);
  expect(Buffer.concat((await download(lives, id)) ?? []).equals(bytes)).toBe(true);
  await setJob(lives, other.jobId, `state = 'dead'`);
  expect(await prune(lives.db)).toBe(2 + 1);
  await setJob(lives, first.jobId, `state = 'succeeded'`);
  expect(await prune(lives.db)).toBe(0);
});

test('a file whose commit was answered by a broken connection is stored once', async () => {
  const begun = await lives.start();
  const file = await keep(lives, begun, chunksOf(bytesOf(2 * partBytes)));
  const proxy = await startProxy(lives.url);
  const db = openDb({ url: proxy.url, poolSize: 2, statementTimeoutMs: 2_000, emit: () => undefined });
  const lost = proxy.loseNextAnswer((request) => request.includes('COMMIT'));
  const { value } = await persist(() => commitStep(db, begun, step({ file })), signal);
  await lost;
  expect((await readSteps(lives.db, begun.jobId)).get('write')).toEqual(value);
  expect(await filesOf(lives, begun.jobId)).toEqual([{ id: value.file.artifactId, draft: null, parts: 2 }]);
  await db.close();
  await proxy.close();
});

test('a draft whose parts are gone is no file', async () => {
  const begun = await lives.start();
  const gone = new Draft({ id: begun.jobId, size: 2, sha256: sha256('ab') });
  await expect(commitStep(lives.db, begun, step({ file: gone }))).rejects.toThrow('its parts are gone');
});

test('an abort ends the file before its next part, and so does too large a one', async () => {
  const begun = await lives.start();
  const stop = new AbortController();
  const chunks = chunksOf(bytesOf(9 * partBytes), (pulled) => pulled > 2.5 * partBytes && stop.abort());
  await expect(keepFile({ db: lives.db, begun, signal: stop.signal }, chunks)).rejects.toThrow(/abort/i);
  const small = { db: lives.db, begun, signal, maxBytes: 2 * partBytes };
  expect(await keepFile(small, chunksOf(bytesOf(2 * partBytes)))).toBeInstanceOf(Draft);
  await expect(keepFile(small, chunksOf(bytesOf(2 * partBytes + 1)))).rejects.toMatchObject({
    code: 'bad_input',
  });
  expect((await filesOf(lives, begun.jobId)).map(({ parts }) => parts)).toEqual([2, 2, 2]);
});
