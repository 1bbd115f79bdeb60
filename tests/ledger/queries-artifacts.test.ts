import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { sha256 } from '../../shared/text.ts';
import { readArtifact } from '../../ledger/queries-artifacts.ts';
import { openLedger, query, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const run = (text: string, values: readonly unknown[]) => query(world, text, values);

test('an artifact is read by its tenant or by a link, and not after its lifetime', async () => {
  const id = newId();
  const bytes = Buffer.from('a,b\n1,2\n');
  await run(
    `INSERT INTO artifact (id, tenant, job_id, content_type, file_name, sha256, size, bytes, expires_at)
     VALUES ($1, 'acme', $2, 'text/csv', 'costs.csv', $3, $4, $5, now() + interval '1 h')`,
    [id, newId(), sha256(bytes), bytes.length, bytes],
  );
  expect(await readArtifact(world.db, id, 'acme')).toMatchObject({ contentType: 'text/csv', bytes });
  expect(await readArtifact(world.db, id, undefined)).toMatchObject({ fileName: 'costs.csv' });
  expect(await readArtifact(world.db, id, 'neighbour')).toBeUndefined();
  await run(`UPDATE artifact SET expires_at = now() - interval '1 s' WHERE id = $1`, [id]);
  expect(await readArtifact(world.db, id, 'acme')).toBeUndefined();
});
