// The architecture is a promise: the tree, the tests beside it and the written references are held to it here; imports and
// sizes are lint rules (lint/rooms.mjs).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { queues } from '../queues/index.ts';
import { workers } from '../workers/index.ts';
import { rooms } from '../lint/rooms.mjs';

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const inRooms = tracked.filter(
  (path) => path.endsWith('.ts') && Object.keys(rooms).includes(path.split('/')[0] ?? ''),
);

/** Files that say nothing that could be tested by itself: lists, types, and entries that tests run as processes. */
const spared = /(^|\/)(index|types|ports|define)\.ts$|^bench\/|^cli\/main\.ts$|keeper\.ts$/;

/** `// Covers: a.ts, b.ts` in the head of a test names the files whose one story it tells. */
function coveredByName(): Set<string> {
  const covered = new Set<string>();
  for (const path of tracked.filter((name) => name.endsWith('.test.ts'))) {
    const head = readFileSync(path, 'utf8').split('\nimport ')[0] ?? '';
    const named = head.replaceAll(/\n\/\/ ?/g, ' ').match(/Covers: ([^\n]*)/)?.[1] ?? '';
    for (const file of named.match(/[\w/.-]+\.ts/g) ?? []) covered.add(file);
  }
  return covered;
}

/** `sandbox/gemini-schema.ts` is a part of the story that `sandbox/gemini.test.ts` tells; a contract tells an adapter's. */
function hasTest(path: string): boolean {
  const [room = '', ...rest] = path.replace(/\.ts$/, '').split('/');
  const words = rest.join('/').split('-');
  const names = words.map((_, index) => words.slice(0, index + 1).join('-'));
  return names.some(
    (name) =>
      existsSync(`tests/${room}/${name}.test.ts`) || existsSync(`tests/contracts/${room}-${name}.test.ts`),
  );
}

test('every source file has a test of its name, or a test that names it', () => {
  const covered = coveredByName();
  expect(inRooms.filter((path) => !spared.test(path) && !hasTest(path) && !covered.has(path))).toEqual([]);
});

test('a test names only files that exist', () => {
  expect([...coveredByName()].filter((path) => !existsSync(path))).toEqual([]);
});

test('every queue has its worker, and every kind its handler', () => {
  const hosted = workers.map(({ queue, handlers }) => [queue.name, Object.keys(handlers).toSorted()]);
  expect(hosted).toEqual(queues.map((queue) => [queue.name, Object.keys(queue.jobs).toSorted()]));
});

test("the README's table of folders is the disk", () => {
  const readme = readFileSync('README.md', 'utf8');
  const listed = [...readme.matchAll(/^\| `([\w.]+)\/` +\|/gm)].map(([, folder]) => folder ?? '');
  const folders = new Set(
    tracked.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? ''),
  );
  folders.delete('.ci');
  expect(listed.toSorted()).toEqual([...folders].toSorted());
});

test('the README stays within 150 lines', () => {
  expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThanOrEqual(151);
});

function include(file: string): string[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as { include: string[] }).include;
}

test('tsconfig, the build and knip know every folder of the house', () => {
  const names = Object.keys(rooms).toSorted();
  // What the fault rows run as processes is built like the parts it stands beside; the image leaves tests/ out.
  const built = include('tsconfig.build.json').filter((name) => name !== 'tests/faults/programs');
  expect(built.toSorted()).toEqual(names);
  expect(
    include('tsconfig.json')
      .filter((name) => names.includes(name))
      .toSorted(),
  ).toEqual(names);
  for (const name of names) expect(readFileSync('knip.json', 'utf8')).toContain(name);
});

test('files open with what they are', () => {
  const silent = inRooms.filter((path) => !/^(#!.*\n)?\/\//.test(readFileSync(path, 'utf8')));
  expect(silent).toEqual([]);
});

test('all dependencies are pinned to one version', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
  const ranges = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) =>
    Object.values(manifest[group] ?? {}),
  );
  expect(ranges.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});
