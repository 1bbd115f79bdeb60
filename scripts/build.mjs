// Builds dist/: the Prisma client, then TypeScript, then the files that are read at run time. Nothing is done twice.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('prisma/generate.mjs');
for (const folder of ['prisma', 'dashboard/pages']) cpSync(folder, `dist/${folder}`, { recursive: true });
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
