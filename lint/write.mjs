// Writes .oxlintrc.json and the tables of docs/architecture.md from lint/rooms.mjs. `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { homes, rooms } from './rooms.mjs';

const names = Object.keys(rooms);
const relative = (room) => ['../', '../../', '../../../'].map((up) => `${up}${room}/**`);
const message = (room, other) => `${room}/ may not import ${other}/ (lint/rooms.mjs)`;

function patternsFor(place) {
  const room = place.split('/')[0];
  const { imports, types = [] } = rooms[room];
  const closed = names
    .filter((other) => other !== room && !imports.includes(other))
    .map((other) => ({
      group: relative(other),
      message: message(room, other),
      ...(types.includes(other) && { allowTypeImports: true }),
    }));
  const packages = Object.entries(homes)
    .filter(([, places]) => !places.some((home) => place === home || room === home))
    .map(([name, places]) => ({
      group: name.endsWith('/**') ? [name, name.slice(0, -3)] : [name, `${name}/**`],
      message: `${name.replace('/**', '')} lives in ${places.join(', ')} (lint/rooms.mjs)`,
    }));
  return [...closed, ...packages];
}

// A later override replaces an earlier list, so each place gets one complete list; files come after their folder.
const everyPlace = [
  ...names,
  ...new Set(
    Object.values(homes)
      .flat()
      .filter((place) => place.endsWith('.ts')),
  ),
];
const imports = everyPlace.map((place) => ({
  files: [place.endsWith('.ts') ? place : `${place}/**`],
  rules: { 'no-restricted-imports': ['error', { patterns: patternsFor(place) }] },
}));

const config = {
  $schema: './node_modules/oxlint/configuration_schema.json',
  plugins: ['typescript', 'import', 'node', 'promise', 'unicorn', 'oxc', 'jest'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  options: { typeAware: true },
  env: { node: true, es2024: true },
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'import/no-cycle': 'error',
    'no-console': 'error',
    'node/no-process-env': 'error',
    eqeqeq: 'error',
    'max-lines': ['error', { max: 250 }],
    'max-lines-per-function': ['error', { max: 40 }],
    complexity: ['error', { max: 10 }],
    'max-params': ['error', { max: 4 }],
    'no-await-in-loop': 'off', // ordered work is the rule here: batches, pages, retries
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/consistent-return': 'off',
    'jest/require-to-throw-message': 'off',
    'import/no-unassigned-import': 'off',
    'oxc/no-map-spread': 'off', // rows are copied on purpose: arguments are never changed
    'no-control-regex': 'off', // control characters are what the checks look for
    'no-unmodified-loop-condition': 'off', // the change comes from another async function
    'import/no-named-as-default-member': 'off', // pg is CommonJS: its names exist on the default only in some loaders
    'unicorn/no-array-sort': 'off', // toSorted needs a newer lib on the floor we support in client/
  },
  overrides: [
    ...imports,
    {
      files: ['bench/**', 'scripts/**', 'lint/**', 'prisma/**', 'tests/**'],
      rules: { 'no-console': 'off' },
    },
    {
      files: ['shared/config.ts', 'scripts/**', 'lint/**', 'prisma/**', 'tests/**', '*.config.ts'],
      rules: { 'node/no-process-env': 'off' },
    },
    {
      files: ['tests/**'],
      rules: {
        'max-lines-per-function': 'off',
        'max-params': 'off',
        'jest/expect-expect': 'off',
        'jest/no-conditional-expect': 'off',
        'jest/no-standalone-expect': 'off',
      },
    },
  ],
  ignorePatterns: ['dist', 'ledger/generated', 'coverage', 'node_modules', '.storytime'],
};

const cell = (list) => (list.length > 0 ? list.map((name) => `\`${name}\``).join(', ') : '-');
const roomTable = ['| folder | what it is | may import |', '|---|---|---|'].concat(
  names.map((name) => {
    const { about, imports: open, types = [] } = rooms[name];
    return `| \`${name}/\` | ${about} | ${cell(open)}${types.length > 0 ? ` types of ${cell(types)}` : ''} |`;
  }),
);
const homeTable = ['| package | home |', '|---|---|'].concat(
  Object.entries(homes).map(([name, places]) => `| \`${name.replace('/**', '')}\` | ${cell(places)} |`),
);
const document = `<!-- Written by \`node lint/write.mjs\` from lint/rooms.mjs: change the table there. -->
# Architecture: who may import whom

Every row below is a lint error when it is broken. Files stay within 250 lines, functions within 40, complexity within 10, parameters within 4.

${roomTable.join('\n')}

## One home for each outside package

${homeTable.join('\n')}

\`process.env\` is read in \`shared/config.ts\` alone, and by what is no part of the product (\`scripts/\`, \`lint/\`, \`prisma/\`,
\`tests/\`, the files \`*.config.ts\`). \`console\` is used by those four folders and by \`bench/\`: the log and the command line write to
standard output and error themselves.
`;

const files = { '.oxlintrc.json': `${JSON.stringify(config, null, 2)}\n`, 'docs/architecture.md': document };
for (const [path, text] of Object.entries(files)) {
  const old = (() => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  })();
  if (old === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is stale: run node lint/write.mjs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`wrote ${path}`);
  }
}
