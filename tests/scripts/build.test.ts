// The build, started where nothing is installed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { createFolder, removeFolder } from '../support/folders.ts';

const script = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url));

test('a build without its packages ends in one line with what to do', async () => {
  const cwd = await createFolder();
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd, encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^.*npm ci --include=dev\n$/)]);
  } finally {
    await removeFolder(cwd);
  }
});
