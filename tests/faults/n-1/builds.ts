// Two builds of this product for rows that run them side by side. The older one is the last tagged release, and without one this
// very build; the newer one is a copy of this source in which a payload has changed and a kind is new.
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = [
  'shared',
  'queues',
  'engine',
  'ledger',
  'providers',
  'workers',
  'api',
  'dashboard',
  'client',
  'cli',
  'sandbox',
  'bench',
  'prisma',
  'scripts',
  'tests/faults',
  'package.json',
  'package-lock.json',
  'prisma.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** `side` has `quick` in version 2 (`ms` became `waitMs`), which knows version 1, and a new kind `fresh`. */
export async function newerBuild(folder: string): Promise<string> {
  const build = join(folder, 'newer');
  await Promise.all(sources.map((path) => cp(path, join(build, path), { recursive: true })));
  await change(join(build, 'tests/faults/programs/kinds.ts'), [
    [
      `jobs: { quick: { payload: z.strictObject({ ms: ms.default(0), canary }), result, replay: 'safe' } },`,
      `jobs: {
    quick: {
      payload: z.strictObject({ waitMs: ms.default(0), canary }),
      result,
      replay: 'safe',
      version: 2,
      upgrade: {
        1: (old) => {
          const { ms: waitMs, ...rest } = old as { ms?: number };
          return { ...rest, waitMs };
        },
      },
    },
    fresh: { payload: z.strictObject({ canary }), result, replay: 'safe' },
  },`,
    ],
  ]);
  await change(join(build, 'tests/faults/programs/handlers.ts'), [
    [
      `quick: (job) => sleep(job, job.payload.ms) })`,
      `quick: (job) => sleep(job, job.payload.waitMs), fresh: (job) => sleep(job, 5) })`,
    ],
  ]);
  return compiled(build);
}

/** Undefined when no release was tagged yet: then this build is the older one. */
export async function olderBuild(folder: string): Promise<string | undefined> {
  const tag = await run('git', ['describe', '--tags', '--abbrev=0']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (tag === undefined) return undefined;
  const build = join(folder, 'older');
  await mkdir(build);
  await run('git', ['archive', '--output', join(folder, 'older.tar'), tag]);
  await run('tar', ['-xf', join(folder, 'older.tar'), '-C', build]);
  return compiled(build);
}

async function change(path: string, edits: readonly (readonly [from: string, to: string])[]): Promise<void> {
  let text = await readFile(path, 'utf8');
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`${path} has changed: it no longer has ${from}`);
    text = text.replace(from, to);
  }
  await writeFile(path, text);
}

async function compiled(build: string): Promise<string> {
  await symlink(join(process.cwd(), 'node_modules'), join(build, 'node_modules'));
  await run(process.execPath, ['scripts/build.mjs'], { cwd: build });
  return build;
}
