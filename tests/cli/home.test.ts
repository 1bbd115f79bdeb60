// The home folder: private, claimed by one system at a time, and forgiving towards what a killed one left.
// Covers: shared/alive.ts
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  claimHome,
  ensureSecret,
  makeHome,
  readNote,
  releaseHome,
  writeNote,
  type UpNote,
} from '../../cli/home.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { startProcess } from '../support/processes.ts';

let folder: string;
let home: string;
beforeAll(async () => {
  folder = await createFolder();
  home = makeHome(join(folder, 'a/b/.storytime'));
});
afterAll(async () => removeFolder(folder));

const note: UpNote = {
  api: 'http://127.0.0.1:4000',
  dashboard: 'http://127.0.0.1:4001',
  mailbox: null,
  key: 'stj_x',
  engine: 'postgres',
  databaseUrl: 'postgres://x',
  pid: process.ppid,
};
const mode = (name: string): number => statSync(join(home, name)).mode & 0o777;
const gone = 2 ** 22 + 1; // above every process id of Linux

test('only its owner can read the folder, the key and the note; a secret is made once', () => {
  const key = ensureSecret(home, 'key');
  expect(key).toMatch(/^stj_[\w-]{43}$/);
  expect(ensureSecret(home, 'key')).toBe(key);
  expect(ensureSecret(home, 'link-secret').length).toBeGreaterThanOrEqual(32);
  writeNote(home, note);
  expect(['.', 'key', 'link-secret', 'up.json'].map(mode)).toEqual([0o700, 0o600, 0o600, 0o600]);
});

test('a note tells whether its system still runs; one that cannot be read is none', () => {
  expect(readNote(home)).toEqual({ note, alive: true });
  writeNote(home, { ...note, pid: gone });
  expect(readNote(home)?.alive).toBe(false);
  writeNote(home, { ...note, pid: process.pid });
  expect(readNote(home)?.alive).toBe(false); // ours: a container gave the id of a killed system again
  writeFileSync(join(home, 'up.json'), '{"pid":');
  expect(readNote(home)).toBeUndefined();
  expect(readNote(join(folder, 'nothing'))).toBeUndefined();
});

test('the folder belongs to one living process', () => {
  expect(claimHome(home)).toBeUndefined();
  writeFileSync(join(home, 'up.pid'), String(process.ppid));
  expect(claimHome(home)).toEqual({ owner: process.ppid });
  for (const left of [String(gone), '', '0', '-1 5', 'x']) {
    writeFileSync(join(home, 'up.pid'), left); // empty: written on a full disk by a build before
    expect(claimHome(home)).toBeUndefined();
    expect(readFileSync(join(home, 'up.pid'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  }
  releaseHome(home);
  expect(readdirSync(home).filter((name) => name.startsWith('up.'))).toEqual([]);
  expect(readNote(home)).toBeUndefined();
});

test('a note and a claim whose process id belongs to a stranger by now do not count', () => {
  writeNote(home, note);
  const file = join(home, 'up.json');
  const written = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  expect(written).toMatchObject(note);
  writeFileSync(file, JSON.stringify({ ...written, started: '1' }));
  expect(readNote(home)).toEqual({ note, alive: false });
  writeFileSync(file, JSON.stringify(note)); // of an older build
  expect(readNote(home)).toEqual({ note, alive: true });
  writeFileSync(join(home, 'up.pid'), `${process.ppid} 1`);
  expect(claimHome(home)).toBeUndefined();
  releaseHome(home);
});

test('the claim of a process that lives counts, until it is killed', async () => {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const { href } = new URL('../../cli/home.ts', import.meta.url);
  const program = `import { claimHome } from '${href}';
    claimHome(${JSON.stringify(home)}); setInterval(() => undefined, 1_000); console.log('claimed');`;
  const other = startProcess(['--import', loader, '--input-type=module', '--eval', program]);
  await other.says('claimed');
  expect(claimHome(home)).toEqual({ owner: other.child.pid });
  await other.end('SIGKILL');
  expect(claimHome(home)).toBeUndefined();
  releaseHome(home);
});

test('a folder that somebody else made keeps its mode', () => {
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o775);
  expect(statSync(makeHome(shared)).mode & 0o777).toBe(0o775);
});

test('a note that cannot be put in its place leaves no half of it behind', () => {
  const other = makeHome(join(folder, 'other'));
  mkdirSync(join(other, 'up.json', 'in the way'), { recursive: true });
  expect(() => writeNote(other, note)).toThrow();
  expect(readdirSync(other)).toEqual(['up.json']);
});
