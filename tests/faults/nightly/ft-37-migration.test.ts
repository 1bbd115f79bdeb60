// The database is migrated under the feet of a working system: by four starters at once, by a migration that fails in the middle,
// and at last by one that takes something away that this build still needs.
import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from '../../support/house.ts';
import { faultRow } from '../kit/row.ts';
import { canary, type World } from '../kit/world.ts';

const total = 500;
const expand = '29990101000000_expand';
const broken = '29990102000000_broken';
const tables = {
  name: 'ft37_tables',
  text: `SELECT to_regclass('storytime.extra') IS NOT NULL AS extra, to_regclass('storytime.half') IS NOT NULL AS half`,
};

/** A build with migrations that this one does not have: its dist, and a prisma folder of its own. */
async function laterBuild(world: World): Promise<string> {
  const build = join(world.folder, 'later');
  await cp('dist', join(build, 'dist'), { recursive: true });
  await cp('package.json', join(build, 'package.json'));
  await symlink(join(process.cwd(), 'node_modules'), join(build, 'node_modules'));
  return build;
}

async function add(build: string, name: string, sql: string): Promise<void> {
  const folder = join(build, 'dist/prisma/migrations', name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'migration.sql'), sql);
}

function migrate(world: World, build: string, ...more: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const args = ['dist/cli/main.js', 'migrate', ...more];
    execFile(process.execPath, args, { cwd: build, env: world.env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: out + err }),
    );
  });
}

faultRow(
  {
    ft: '37',
    tier: 'N',
    name: 'migrations under load: one of four applies, a failing one leaves nothing, one too far ends old builds with 6',
    engines: ['postgres'],
    timeoutMs: 240_000,
  },
  async (world) => {
    await world.start('api');
    const members = [await world.start('work'), await world.start('work')];
    const build = await laterBuild(world);
    const load = world.caller.enqueueMany(total, () => ['quick', { ms: 5, canary }], { perSecond: 50 });

    await add(build, expand, 'ALTER TABLE "job" ADD COLUMN "note" TEXT;\nCREATE TABLE "extra" ("id" INT);');
    const starters = await Promise.all([1, 2, 3, 4].map(() => migrate(world, build)));
    expect(starters.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(starters.filter(({ text }) => text.includes(`applied ${expand}`))).toHaveLength(1);

    await add(
      build,
      broken,
      'CREATE TABLE "half" ("id" INT);\nALTER TABLE "job" ADD COLUMN "half" INT;\nSELECT 1/0;',
    );
    const failed = await migrate(world, build);
    expect(failed).toEqual({ code: 1, text: expect.stringContaining(`--rolled-back ${broken}`) });
    expect(await world.db.run(tables, [])).toEqual([{ extra: true, half: false }]);
    await add(build, broken, 'CREATE TABLE "half" ("id" INT);\nALTER TABLE "job" ADD COLUMN "half" INT;');
    const second = await migrate(world, build, '--rolled-back', broken);
    expect(second).toEqual({ code: 0, text: expect.stringContaining(`applied ${broken}`) });
    expect(await world.db.run(tables, [])).toEqual([{ extra: true, half: true }]);

    await load;
    const recoveryMs = await world.settled(20_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I5', 'I6', 'I9', 'I12']);
    expect(members.every(({ alive }) => alive)).toBe(true);

    const floor = `INSERT INTO "schema_floor" ("migration") VALUES ('${expand}');`;
    await add(build, '29990103000000_contract', `ALTER TABLE "job" DROP COLUMN "summary";\n${floor}`);
    expect((await migrate(world, build)).code).toBe(0);
    await eventually('every part of this build has left', () => world.members.every(({ alive }) => !alive));
    for (const { ends, lines } of world.members) {
      expect(ends.map(({ code }) => code)).toEqual([6]);
      expect(lines.join('\n')).toContain(`its schema needs a build that has ${expand}; deploy a newer build`);
    }
    expect(await migrate(world, '.')).toEqual({
      code: 6,
      text: expect.stringContaining('deploy a newer build'),
    });
    return { ...counts, recoveryMs, jobs: total };
  },
);
