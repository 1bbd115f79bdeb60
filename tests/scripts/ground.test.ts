// The check of what the machine must have, run as the process that `npm test` starts first.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { find, programs } from '../../scripts/programs.mjs';
import { createFolder, removeFolder } from '../support/folders.ts';

const script = fileURLToPath(new URL('../../scripts/ground.mjs', import.meta.url));

function run(path: string): { status: number | null; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { PATH: path },
  });
  return { status, lines: `${stdout}${stderr}`.trim().split('\n') };
}

test('a machine that has everything is left alone without a word', () => {
  expect(run(process.env['PATH'] ?? '')).toEqual({ status: 0, lines: [''] });
});

test('any browser that will do is found wherever it lies on the PATH, and is the one that tests start', async () => {
  const folder = await createFolder();
  const path = process.env['PATH'];
  try {
    for (const name of ['redis-server', 'google-chrome']) await symlink('/bin/true', join(folder, name));
    expect(run(folder)).toEqual({ status: 0, lines: [''] });
    process.env['PATH'] = folder;
    expect(find(...programs.chromium)).toBe(join(folder, 'google-chrome'));
    expect(find('chromium')).toBeUndefined();
  } finally {
    process.env['PATH'] = path;
    await removeFolder(folder);
  }
  expect(readFileSync('tests/browser/board.test.ts', 'utf8')).not.toMatch(/executablePath: '/);
});

test('where nothing can be installed one line says what to install', async () => {
  const folder = await createFolder();
  try {
    const { status, lines } = run(folder);
    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/redis-server and chromium not found; install redis-server chromium/),
    ]);
  } finally {
    await removeFolder(folder);
  }
});

test('an installation that fails ends in one line with the step that failed', async () => {
  const folder = await createFolder();
  try {
    await symlink('/bin/false', join(folder, 'apt-get'));
    const { status, lines } = run(folder);
    expect(status).toBe(1);
    const reason =
      process.getuid?.() === 0 ? /apt-get update failed: exit code 1; install/ : /not found; install/;
    expect(lines.at(-1)).toMatch(reason);
  } finally {
    await removeFolder(folder);
  }
});
