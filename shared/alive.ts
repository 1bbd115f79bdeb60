// Whether a process that was noted somewhere still runs. Its id alone does not tell: after a restart of the machine, or much
// later, the same id belongs to somebody else. The moment of its start tells them apart.
import { readFileSync } from 'node:fs';

/** Whether the process runs; `start` (from startOf) tells it from a later one that was given the same id. */
export function isAlive(pid: number, start?: string): boolean {
  if (!(pid > 0)) return false; // no process: to `kill`, 0 and less are groups, of which ours is one
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
export function startOf(pid: number): string {
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
