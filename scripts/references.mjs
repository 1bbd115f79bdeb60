// Writes what is said of settings, errors and metrics from the code that has them: .env.example, docs/configuration.md,
// docs/errors.md and docs/metrics.md. `--check` only compares, and fails when a file is stale. Run through tsx:
// `node --import tsx scripts/references.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationPage, environmentExample } from './references/configuration.mjs';
import { errorsPage } from './references/errors.mjs';
import { metricsPage } from './references/metrics.mjs';

const files = {
  '.env.example': environmentExample(),
  'docs/configuration.md': configurationPage(),
  'docs/errors.md': errorsPage(),
  'docs/metrics.md': metricsPage(),
};
const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(files)) {
  if (!check) writeFileSync(path, text);
  else if (read(path) !== text) {
    console.error(`${path} is stale; run node --import tsx scripts/references.mjs`);
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
