// A step whose answer is held is never paid again: not after a SIGKILL, not after a deploy. The bill is a file that the
// worker processes append to the moment a call is accepted.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { openHouse, type House } from '../support/house.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';

let folder: string;
let database: TestDatabase;
let house: House;
const processes: TestProcess[] = [];

beforeAll(async () => {
  folder = await createFolder();
  database = await createDatabase();
  house = await openHouse({ databaseUrl: database.url, work: false });
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.end('SIGKILL')));
  await house.close();
  await database.drop();
  await removeFolder(folder);
});

async function startPayer(bill: string): Promise<TestProcess> {
  const given = JSON.stringify({ databaseUrl: database.url, bill });
  const started = startProcess(['--import', 'tsx', 'tests/support/payer.ts', given]);
  processes.push(started);
  await started.says('ready');
  return started;
}

async function linesOf(bill: string): Promise<string[]> {
  return (await readFile(bill, 'utf8')).trim().split('\n');
}

for (const [signal, outcome, charged] of [
  // What a killed process paid for its call it can tell nobody.
  ['SIGKILL', 'crashed', ['first', 'second']],
  ['SIGTERM', 'interrupted', ['first', 'second', 'second']],
] as const) {
  test(`after ${signal} in the middle of a call its step is paid once more, the one before it is not, and no attempt is used up`, async () => {
    const bill = join(folder, signal);
    const first = await startPayer(bill);
    const { id } = await house.enqueue('play', {});
    await first.says('attempt 1 has asked');
    await first.end(signal);
    const second = await startPayer(bill);
    const done = await house.until(id, (row) => row.state === 'succeeded');
    await second.end('SIGKILL');
    expect(await linesOf(bill)).toEqual([`${id}:first`, `${id}:second`, `${id}:second`]);
    expect(done).toMatchObject({
      failures: 0,
      attemptNo: 2,
      result: { first: { paid: `${id}:first` }, second: { paid: `${id}:second` } },
    });
    const attempts = await house.db.prisma.attempt.findMany({
      where: { jobId: id },
      orderBy: { attemptNo: 'asc' },
    });
    expect(attempts.map((attempt) => attempt.outcome)).toEqual([outcome, 'succeeded']);
    const charges = await house.db.prisma.charge.findMany({
      where: { jobId: id },
      orderBy: { createdAt: 'asc' },
    });
    expect(charges.map((charge) => charge.step)).toEqual(charged);
  });
}
