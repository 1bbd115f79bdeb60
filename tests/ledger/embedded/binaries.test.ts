// The PostgreSQL programs where they are missing links, or cannot be reached by the server's user.
import { execFile } from 'node:child_process';
import { chmod, cp, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { findBinaries, makeRunnable, type Installed } from '../../../ledger/embedded/binaries.ts';
import { createFolder, removeFolder } from '../../support/folders.ts';

const asRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };

async function onCopy(work: (installed: Installed) => Promise<void>): Promise<void> {
  const folder = await createFolder(); // 0700: nobody but its owner can enter
  try {
    const { postgres } = await findBinaries(folder);
    const native = join(folder, 'package', 'native');
    await cp(dirname(dirname(postgres)), native, { recursive: true, verbatimSymlinks: true });
    await work({ native, version: 'test', cache: async () => Promise.reject(new Error('no copy expected')) });
  } finally {
    await removeFolder(folder);
  }
}

test('library links that the install script did not make are made at the first start', async () => {
  await onCopy(async (installed) => {
    const links = JSON.parse(await readFile(join(installed.native, 'pg-symlinks.json'), 'utf8')) as {
      target: string;
    }[];
    expect(links.length).toBeGreaterThan(0);
    for (const { target } of links) await rm(join(dirname(installed.native), target));
    const { postgres } = await makeRunnable(installed);
    const { stdout } = await promisify(execFile)(postgres, ['--version']);
    expect(stdout).toContain('PostgreSQL');
  });
});

test('root copies programs that the server user cannot reach, once, to a folder that he can', async () => {
  await onCopy(async (installed) => {
    const cacheFolder = await createFolder();
    const cache = async (): Promise<string> => cacheFolder;
    try {
      await chmod(cacheFolder, 0o755);
      const first = await makeRunnable({ ...installed, cache }, asRoot ? nobody : undefined);
      const again = await makeRunnable({ ...installed, cache }, asRoot ? nobody : undefined);
      expect(again).toEqual(first);
      expect(first.postgres.startsWith(asRoot ? cacheFolder : installed.native)).toBe(true);
      expect(await readdir(cacheFolder)).toEqual(asRoot ? ['postgres-test'] : []);
    } finally {
      await removeFolder(cacheFolder);
    }
  });
});

test('programs that cannot run at all are refused with what to do', async () => {
  await onCopy(async (installed) => {
    await rm(join(installed.native, 'bin', 'postgres'));
    const cache = async (): Promise<string> => dirname(installed.native);
    await expect(makeRunnable({ ...installed, cache })).rejects.toThrow(
      /cannot run here: .*set DATABASE_URL/s,
    );
  });
});
