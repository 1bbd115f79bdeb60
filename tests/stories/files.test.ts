// A file is whole or not there: a worker that is killed while it writes one leaves nothing that anybody can read, or that stays.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { partBytes } from '../../ledger/artifact-parts.ts';
import { readArtifact, readParts } from '../../ledger/queries-artifacts.ts';
import { prune } from '../../ledger/retention.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { openHouse, type House } from '../support/house.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';

let database: TestDatabase;
let house: House;
const processes: TestProcess[] = [];

beforeAll(async () => {
  database = await createDatabase();
  house = await openHouse({ databaseUrl: database.url, work: false });
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.end('SIGKILL')));
  await house.close();
  await database.drop();
});

async function startFiler(): Promise<TestProcess> {
  const given = JSON.stringify({ databaseUrl: database.url });
  const started = startProcess(['--import', 'tsx', 'tests/support/filer.ts', given]);
  processes.push(started);
  await started.says('ready');
  return started;
}

const whole = (attempt: number): Buffer =>
  Buffer.concat([1, 2, 3].map((n) => Buffer.alloc(partBytes + 1, `${attempt}${n}`)));

test('after SIGKILL in the middle of a file it is begun again, and nothing of the first half is served or kept', async () => {
  const first = await startFiler();
  const { id: jobId } = await house.enqueue('play', {});
  await first.says('half written');
  const half = await house.db.prisma.artifact.findFirstOrThrow({
    where: { jobId },
    include: { parts: true },
  });
  expect(half).toMatchObject({ draftAttemptNo: 1, parts: [{ n: 0 }, { n: 1 }] });
  await first.end('SIGKILL');
  await startFiler();
  const done = await house.until(jobId, (row) => row.state === 'succeeded');
  const { file } = done.result as unknown as { file: { artifactId: string; size: number } };
  const view = await readArtifact(house.db, file.artifactId, 'test');
  const parts: Buffer[] = [];
  if (view !== undefined) for await (const part of readParts(house.db, view)) parts.push(part);
  expect(Buffer.concat(parts).equals(whole(done.attemptNo))).toBe(true);
  expect([done.attemptNo, file.size]).toEqual([2, 3 * (partBytes + 1)]);
  expect(await readArtifact(house.db, half.id, 'test')).toBeUndefined();
  await prune(house.db); // the pruner of the second process may have been here already
  expect(await house.db.prisma.artifact.findMany({ where: { jobId }, select: { id: true } })).toEqual([
    { id: file.artifactId },
  ]);
  expect(await house.db.prisma.artifactPart.count()).toBe(parts.length);
});
