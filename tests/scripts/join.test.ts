// Covers: scripts/join.mjs
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const folder = resolve('dist/node_modules');

/** Of each specifier of the joined packages: where a file of `from` finds it, and the names it gives. */
function namesFrom(from: string, specifiers: readonly string[]): Record<string, string[]> {
  const program = `const found = {};
    for (const specifier of ${JSON.stringify(specifiers)}) found[specifier] = Object.keys(await import(specifier)).sort();
    console.log(JSON.stringify(found));`;
  const answer = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: from });
  return JSON.parse(answer.toString()) as Record<string, string[]>;
}

function joinedSpecifiers(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('package.json'))
    .flatMap((path) => {
      const { name, exports } = JSON.parse(readFileSync(join(folder, path), 'utf8')) as {
        name: string;
        exports: Record<string, string>;
      };
      return Object.keys(exports).map((sub) => name + sub.slice(1));
    });
}

test('a built process reads BullMQ, Prisma and the SDKs joined, and finds in them what is in the packages', () => {
  const specifiers = joinedSpecifiers();
  for (const one of ['bullmq', 'ioredis', 'pg', 'zod', '@prisma/adapter-pg', '@elevenlabs/elevenlabs-js'])
    expect(specifiers).toContain(one);
  expect(namesFrom('dist', specifiers)).toEqual(namesFrom('.', specifiers));
});

test('joined packages share one copy of a third: Prisma knows a pool of pg for what it is', () => {
  // One that it does not know it takes for options, and makes a pool of its own.
  const program = `import { PrismaPg } from '@prisma/adapter-pg'; import { Pool } from 'pg';
    const adapter = await new PrismaPg(new Pool({ host: '127.0.0.1', port: 1 })).connect();
    console.log(adapter.underlyingDriver() instanceof Pool);
    process.exit(0);`;
  const answer = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: 'dist' });
  expect(answer.toString()).toBe('true\n');
});
