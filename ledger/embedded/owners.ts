// Who uses a server: one small file per keeper, named by its process id. The last keeper out stops the server, so two
// processes on one data folder share one postmaster and neither takes it away from the other.
import { readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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

/** Whether the process runs; `start` (from startOf) tells it from a later one that was given the same id. */
export function isAlive(pid: number, start?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const { state, started } = readStat(pid);
  // A dead process stays in the table until its parent collects it, in a container perhaps for ever.
  if (state === 'Z') return false;
  return start === undefined || started === start;
}

/** When the process started, in the kernel's ticks; '' where there is no /proc. */
function startOf(pid: number): string {
  return readStat(pid).started;
}

function readStat(pid: number): { state: string; started: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a program's name in brackets and may hold spaces: count from its end. Fields 3 and 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return { state: '', started: '' };
  }
}
