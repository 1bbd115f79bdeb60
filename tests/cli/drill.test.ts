// Covers: cli/drill.ts, cli/drill-system.ts, cli/drill-proof.ts, cli/this-program.ts
// The drill as an operator runs it, on both engines. What belongs to somebody else is named in its environment, and is not touched.
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createFolder, removeFolder } from '../support/folders.ts';
import { startProcess } from '../support/processes.ts';

for (const engine of ['redis', 'postgres']) {
  test(`on ${engine} the drill loses the engine, and no job; it leaves nothing behind`, async () => {
    const folder = await createFolder();
    const mine = { DATABASE_URL: 'postgres://127.0.0.1:1/mine', REDIS_URL: 'redis://127.0.0.1:1' };
    const args = [
      'dist/cli/main.js',
      'drill',
      '--json',
      '--engine',
      engine,
      '--jobs',
      '40',
      '--timeout',
      '60s',
    ];
    const drill = startProcess(args, { env: { ...process.env, ...mine, TMPDIR: folder } });
    const [code] = (await once(drill.child, 'exit')) as [number];
    const proof = JSON.parse(
      drill
        .output()
        .split('\n')
        .find((line) => line.startsWith('{')) ?? '{}',
    ) as object;
    expect({ code, said: drill.output(), proof }).toMatchObject({
      code: 0,
      proof: { ok: true, engine, accepted: 40, succeeded: 40, lost: 0, doubled: 0, forgotten: 0 },
    });
    expect(readdirSync(folder)).toEqual([]);
    await removeFolder(folder);
  }, 120_000);
}
