// Writes docs/reliability.md and the table in the README from docs/reliability.json, the figures of each
// row's last run. `--check` only compares, and fails when one of them is stale.
import { readFileSync, writeFileSync } from 'node:fs';

const { machine, rows } = JSON.parse(readFileSync('docs/reliability.json', 'utf8'));

/** Rows of the fault table by what goes wrong, for the README. */
const families = [
  ['a work process is killed, stopped or hung', 1, 9, 51, 51],
  ['Redis is killed, emptied, full or silent', 10, 19, 52, 53],
  ['PostgreSQL or the network is away', 20, 21, 28, 30, 43, 43, 55, 55],
  ['a provider is slow, refuses, or sends garbage', 22, 25, 40, 41],
  ['deliveries, requests or answers come twice or never', 26, 27, 33, 35],
  ['clocks, versions, migrations, full disks, floods', 31, 31, 36, 39, 42, 42, 44, 44, 48, 48],
  ['all of it, at random', 49, 49],
  ['nothing: the control', 50, 50],
];

function isIn(family, ft) {
  const [, ...limits] = family;
  const number = Number(ft);
  for (let at = 0; at < limits.length; at += 2)
    if (number >= limits[at] && number <= (limits[at + 1] ?? limits[at])) return true;
  return false;
}

function aligned([head, ...lines]) {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...lines].map((cells) => cells[column].length)),
  );
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n');
}

const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
const sum = (list, field) => list.reduce((total, row) => total + row[field], 0);
const ground = `${machine.cores} cores, Node ${machine.node.slice(1)}, Redis ${machine.redis}, PostgreSQL ${machine.postgres}`;

function readmeTable() {
  const lines = families.flatMap((family) => {
    const own = rows.filter(({ ft }) => isIn(family, ft));
    if (own.length === 0) return [];
    const numbers = [...new Set(own.map(({ ft }) => ft))].join(', ');
    const slowest = Math.max(...own.map(({ recoveryMs }) => recoveryMs));
    return [
      [
        family[0],
        numbers,
        String(sum(own, 'jobs')),
        String(sum(own, 'lost')),
        String(sum(own, 'extraCalls')),
        seconds(slowest),
      ],
    ];
  });
  return aligned([['what goes wrong', 'rows', 'jobs', 'lost', 'paid again', 'slowest recovery'], ...lines]);
}

function page() {
  const table = aligned([
    [
      'row',
      'engine',
      'tier',
      'true when it passes',
      'jobs',
      'lost',
      'begun again',
      'refused',
      'paid again',
      'recovery',
    ],
    ...rows.map((row) => [
      `FT-${row.ft}`,
      row.engine,
      row.tier,
      row.name,
      ...[row.jobs, row.lost, row.reruns, row.refused, row.extraCalls].map(String),
      seconds(row.recoveryMs),
    ]),
  ]);
  return `# Reliability: what was done to it, and what it did

Each row is a test in \`tests/faults/\`: real processes, a fault on purpose, and a checker that joins what callers were told, what the
ledger says and what the providers billed. Tier P is \`npm run test:faults\` (\`npm test\` runs the rows of it that jest.config.js names); N is \`npm run test:nightly\`, S \`npm run test:soak\`.
Timers are scaled down (lease 2 s, sweep 0.5 s) unless a row says otherwise.

*Begun again*: attempts beyond the first. *Refused*: outcomes of attempts that had been superseded; nothing of them was written.
*Paid again*: calls whose outcome nobody could know (the process died, the connection broke), paid once more.
*Recovery*: the longest time from the fault to what the row waits for.

Figures of each row's last run; a row that failed in it is not here: ${ground}. Written by \`npm run faults:table\`.

${table}
`;
}

const readme = readFileSync('README.md', 'utf8');
const [start, end] = ['<!-- faults -->\n', '<!-- /faults -->'];
const [head, rest = ''] = readme.split(start);
const tail = rest.slice(rest.indexOf(end));
const files = {
  'docs/reliability.md': page(),
  'README.md': `${head}${start}\n${readmeTable()}\n\n${ground}, timers scaled down. Every row: [docs/reliability.md](docs/reliability.md).\n\n${tail}`,
};

const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(files)) {
  if (!check) writeFileSync(path, text);
  else if (read(path) !== text) {
    console.error(`${path} is stale; run npm run faults:table`);
    process.exitCode = 1;
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
