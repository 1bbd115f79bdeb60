// Finished reports and their files.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { storeArtifact } from '../../ledger/artifacts.ts';
import { saveReport } from '../../ledger/reports.ts';
import { openLedger, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(async () => {
  await world.close();
});

test('a report names its file and keeps it for 30 days instead of a week', async () => {
  const jobId = newId();
  const owner = { jobId, tenant: 'acme' };
  const artifactId = await world.db.prisma.$transaction(async (tx) => {
    const stored = await storeArtifact(tx, owner, { bytes: Buffer.from('a,b'), contentType: 'text/csv' });
    const period = { from: new Date(0), to: new Date(1) };
    const file = { artifactId: stored.artifactId, fileName: 'usage.csv', rows: 1 };
    await saveReport(tx, { ...owner, ...period, ...file, report: 'usage' });
    return stored.artifactId;
  });
  const report = await world.db.prisma.report.findUniqueOrThrow({
    where: { jobId },
    include: { artifact: true },
  });
  expect(report).toMatchObject({
    artifactId,
    rows: 1,
    periodTo: new Date(1),
    artifact: { fileName: 'usage.csv' },
  });
  expect((report.artifact.expiresAt.getTime() - Date.now()) / 86_400_000).toBeCloseTo(30, 1);
});
