// The folder of a development system (STORYTIME_HOME): its key, its secret, and the note of what is running.
// Private to its owner; written whole or not at all, so a reader never finds half a file.
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { isAlive, startOf } from '../shared/alive.ts';
import { toError } from '../shared/errors.ts';
import { CliError } from './exit.ts';

/** What `.storytime/up.json` holds while `storytime up` runs. */
export interface UpNote {
  api: string;
  dashboard: string;
  /** Page of the sandbox's mailbox; null without a sandbox. */
  mailbox: string | null;
  key: string;
  engine: 'postgres' | 'redis';
  databaseUrl: string;
  pid: number;
}

const noteFile = 'up.json';
const claimFile = 'up.pid';

/** Makes the folder, readable by its owner alone; one that is there stays as somebody made it. */
export function makeHome(folder: string): string {
  const path = resolve(folder);
  return writable(path, () => {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
  });
}

/** Makes the folder of the parts' logs. */
export function makeLogs(home: string): string {
  const path = join(home, 'logs');
  return writable(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
}

/** A folder that takes no files is told before anything starts: later on every line of a log would be lost. */
function writable(path: string, make: () => unknown): string {
  try {
    make();
    accessSync(path, constants.W_OK | constants.X_OK);
    return path;
  } catch (thrown) {
    const why = `${path} cannot be written: ${toError(thrown).message}`;
    throw new CliError('wrongUse', `${why}; give it to this user, or set STORYTIME_HOME to another folder`);
  }
}

/** The text of a private file, made once. */
export function ensureSecret(home: string, name: 'key' | 'link-secret'): string {
  const file = join(home, name);
  const known = readText(file)?.trim();
  if (known !== undefined && known !== '') return known;
  const secret = `${name === 'key' ? 'stj_' : ''}${randomBytes(32).toString('base64url')}`;
  writePrivate(file, `${secret}\n`);
  return secret;
}

export function writeNote(home: string, note: UpNote): void {
  const text = JSON.stringify({ ...note, started: startOf(note.pid) }, null, 2);
  writePrivate(join(home, noteFile), `${text}\n`);
}

/** Claims the folder for this process, or tells whose it is. The claim of a process that is gone does not count. */
export function claimHome(home: string): { owner: number } | undefined {
  const file = join(home, claimFile);
  const text = `${process.pid} ${startOf(process.pid)}`;
  for (;;) {
    if (writeNew(file, text)) return undefined;
    const [pid, started] = readText(file)?.split(' ') ?? [];
    const owner = Number(pid);
    if (isOther(owner, started)) return { owner };
    rmSync(file, { force: true });
  }
}

export function releaseHome(home: string): void {
  rmSync(join(home, noteFile), { force: true });
  rmSync(join(home, claimFile), { force: true });
}

/** The note and whether its process still lives; undefined when there is none. */
export function readNote(folder: string): { note: UpNote; alive: boolean } | undefined {
  const text = readText(join(resolve(folder), noteFile));
  if (text === undefined) return undefined;
  try {
    const { started, ...note } = JSON.parse(text) as UpNote & { started?: string };
    return typeof note.pid === 'number' ? { note, alive: isOther(note.pid, started) } : undefined;
  } catch {
    return undefined; // not ours, or from a version that wrote it otherwise
  }
}

/**
 * Containers give the same low process ids again and again: a note of our own id is one of an earlier life. One of an older
 * build, or of a system without /proc, tells no start: its id has to do.
 */
function isOther(pid: number, started: string | undefined): boolean {
  return pid !== process.pid && isAlive(pid, started === '' ? undefined : started);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function writePrivate(file: string, text: string): void {
  withDraft(file, text, (draft) => renameSync(draft, file));
}

/** False when the file is there already. */
function writeNew(file: string, text: string): boolean {
  return withDraft(file, text, (draft) => {
    try {
      placeNew(draft, file);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Unlike a rename it replaces nothing. A FAT, or a folder of another system, has no links: there a copy has to do. */
function placeNew(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    copyFileSync(draft, file, constants.COPYFILE_EXCL);
  }
}

/** A full disk leaves no half of a file: it is there under its name when it has all its text. */
function withDraft<T>(file: string, text: string, place: (draft: string) => T): T {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    return place(draft);
  } finally {
    rmSync(draft, { force: true });
  }
}
