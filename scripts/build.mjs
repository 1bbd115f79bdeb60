// Builds dist/: the Prisma client, TypeScript, the files that are read at run time, the packages. Nothing is done twice.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { requireNode } from './node-version.mjs';

requireNode();

const needed = ['prisma', 'typescript', 'esbuild', 'autocannon'];
if (!needed.every((name) => fs.existsSync(`node_modules/${name}`))) {
  console.error('this needs its packages, those for development too, to be built: run npm ci --include=dev');
  process.exit(2);
}

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('prisma/generate.mjs');
for (const path of ['prisma', 'dashboard/pages', 'scripts/node-version.mjs'])
  fs.cpSync(path, `dist/${path}`, { recursive: true });
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
run('scripts/join.mjs');
