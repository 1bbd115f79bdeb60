// Who uses a server: one small file per keeper, named by its process id. The last keeper out stops the server, so two
// processes on one data folder share one postmaster and neither takes it away from the other.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, startOf } from '../../shared/alive.ts';

/** Notes this process as an owner. */
export async function joinOwners(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, String(process.pid)), startOf(process.pid));
}

/** Takes this process off the list; true when nobody alive is left on it. Marks of the dead are swept away. */
export async function leaveOwners(folder: string): Promise<boolean> {
  await rm(join(folder, String(process.pid)), { force: true });
  let alone = true;
  for (const name of await readdir(folder).catch(() => [])) {
    const start = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (isAlive(Number(name), start)) alone = false;
    else await rm(join(folder, name), { force: true });
  }
  return alone;
}
