// Covers: client/index.ts, ledger/enqueue-in-tx.ts
// The package as the main API has it: packed, put among its other packages, compiled against with the options of a strict project.
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFolder, removeFolder } from '../support/folders.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await createFolder();
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const home = join(folder, 'node_modules/storytime-jobs');
  await mkdir(home, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '-C', home, '--strip-components', '1']);
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { dependencies: object };
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    const place = join(folder, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(resolve('node_modules', name), place);
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    types: ['node'],
    noEmit: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
});
afterAll(() => removeFolder(folder));

/** What the compiler says of a program of the main API. */
async function complaints(program: string): Promise<string> {
  await writeFile(join(folder, 'main.ts'), program);
  const tsc = resolve('node_modules/typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', folder]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

test('the installed client and door load, and know what a kind takes', async () => {
  const story = `{ childName: 'Ada', age: 6, theme: 'the sea' }`;
  const right = `import { connect } from 'storytime-jobs/client';
import { enqueue } from 'storytime-jobs/enqueue';
export const ask = () => connect({ url: 'http://127.0.0.1:1', key: 'stj_x' }).enqueue('generate-story', ${story});
export { enqueue };`;
  expect(await complaints(right)).toBe('');
  expect(await complaints(right.replace('age: 6', `age: 'six'`))).toMatch(
    /main\.ts.*not assignable to type 'number'/,
  );
  const load = `console.log(typeof (await import('storytime-jobs/client')).connect, typeof (await import('storytime-jobs/enqueue')).enqueue)`;
  const loaded = await run(process.execPath, ['--input-type=module', '-e', load], { cwd: folder });
  expect(loaded.stdout).toBe('function function\n');
}, 120_000);
