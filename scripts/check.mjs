// The whole check, in one command: what a machine can see first (seconds), then every test. Arguments go to Jest.
import { spawnSync } from 'node:child_process';

const steps = [
  ['format', 'node_modules/oxfmt/bin/oxfmt', '--check'],
  ['lint', 'node_modules/oxlint/bin/oxlint'],
  ['types', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
  ['unused', 'node_modules/knip/bin/knip.js', '--no-progress'],
  ['lock file', 'scripts/lockcheck.mjs'],
  ['rooms', 'lint/write.mjs', '--check'],
  ['references', '--import', 'tsx', 'scripts/references.mjs', '--check'],
  ['fault table', 'scripts/faults-table.mjs', '--check'],
  ['migrations', 'prisma/author.mjs', 'check'],
];

const failed = [];
const only = process.argv.slice(2);
for (const [name, ...args] of only.length > 0 ? [] : steps) {
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  console.log(`${run.status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (run.status === 0) continue;
  failed.push(name);
  console.error(`${run.stdout}${run.stderr}`);
}

const jest = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    ...only,
  ],
  { stdio: 'inherit' },
);
if (failed.length > 0) console.error(`\nfailed before the tests: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : (jest.status ?? 1);
