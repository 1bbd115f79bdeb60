// Follows docs/adding-a-job.md on a copy of the source: what the page promises is compiled and run, not believed.
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFolder, removeFolder } from '../support/folders.ts';

const sources = [
  'shared',
  'queues',
  'engine',
  'ledger',
  'providers',
  'workers',
  'tsconfig.json',
  'package.json',
];
const run = promisify(execFile);
let folder: string;
let blocks: Map<string, string>;

beforeAll(async () => {
  folder = await createFolder();
  await Promise.all(sources.map((name) => cp(name, join(folder, name), { recursive: true })));
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const page = await readFile('docs/adding-a-job.md', 'utf8');
  blocks = new Map(
    [...page.matchAll(/```ts (\S+)\n([\s\S]*?)```/g)].map(([, path = '', code = '']) => [path, code]),
  );
  await narrowConfig();
});
afterAll(() => removeFolder(folder));

/** Compiles the copied folders and the page's own test only. */
async function narrowConfig(): Promise<void> {
  const path = join(folder, 'tsconfig.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...config, include: ['queues', 'workers', 'tests'] }));
}

async function insertAfter(path: string, line: string): Promise<void> {
  const text = await readFile(join(folder, path), 'utf8');
  expect(text.split(line)).toHaveLength(2);
  await writeFile(join(folder, path), text.replace(line, `${line}${blocks.get(path) ?? ''}`));
}

async function compile(): Promise<string> {
  return run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
    cwd: folder,
  }).then(
    () => 'compiled',
    (error: { stdout: string }) => error.stdout,
  );
}

/** Runs the page's own test as this repository's Jest would, but without the server of the run: the test needs none. */
async function runTest(path: string): Promise<{ numPassedTests: number; success: boolean }> {
  const { default: config } = (await import(join(process.cwd(), 'jest.config.js'))) as { default: object };
  const ours = { globalSetup: undefined, globalTeardown: undefined, reporters: undefined };
  await writeFile(join(folder, 'jest.config.json'), JSON.stringify({ ...config, ...ours }));
  const jest = join(process.cwd(), 'node_modules/jest/bin/jest.js');
  const args = [
    '--experimental-vm-modules',
    jest,
    '--config',
    'jest.config.json',
    '--json',
    '--runInBand',
    path,
  ];
  const printed = await run(process.execPath, args, { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  return JSON.parse(printed) as { numPassedTests: number; success: boolean };
}

test('a kind takes two files and a test, and without its handler it does not compile', async () => {
  expect([...blocks.keys()]).toEqual([
    'queues/reports.ts',
    'workers/reports.ts',
    'tests/workers/count-stories.test.ts',
  ]);
  expect(await compile()).toBe('compiled');
  await insertAfter('queues/reports.ts', '  jobs: {\n');
  const missing = await compile();
  expect(missing).toContain('workers/reports.ts');
  expect(missing).toContain("Property ''count-stories'' is missing");
  await insertAfter('workers/reports.ts', 'defineWorker(reports, {\n');
  await mkdir(join(folder, 'tests/workers'), { recursive: true });
  const testPath = 'tests/workers/count-stories.test.ts';
  await writeFile(join(folder, testPath), blocks.get(testPath) ?? '');
  expect(await compile()).toBe('compiled');
  expect(await runTest(testPath)).toMatchObject({ numPassedTests: 1, success: true });
}, 180_000);
