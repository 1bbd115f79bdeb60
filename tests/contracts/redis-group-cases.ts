// What several servers in the place of one must not change: canary, pressure and doctor are about the server that has the jobs,
// also after another one took over. Run last: it kills a master.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createBroker } from '../../engine/broker.ts';
import { openEngine, type Engine } from '../../engine/connect.ts';
import type { Broker, EngineKind } from '../../engine/types.ts';
import { newId } from '../../shared/ids.ts';
import { say } from '../cli/world.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';
import { ask, type RedisGroup } from '../support/redis-groups.ts';
import type { TestRedis } from '../support/redis.ts';

const megabyte = 1_048_576;

/** `group`: asked once it is started. `called`: as the doctor calls it. */
export function redisGroupCases(kind: EngineKind, called: string, group: () => RedisGroup): void {
  let database: TestDatabase;
  let home: string;
  let engine: Engine;
  let broker: Broker;
  beforeAll(async () => {
    [database, home] = await Promise.all([createDatabase(), createFolder()]);
    engine = openEngine({ databaseUrl: database.url, redisUrl: group().url, workers: 0 });
    broker = createBroker(engine, ['play']);
    await eventually('it is ready', () => broker.ready);
  });
  afterAll(async () => {
    await broker.close();
    await engine.close();
    await Promise.all([database.drop(), removeFolder(home)]);
  });

  async function doctor(redisUrl: string): Promise<Record<string, { status: string; detail: string }>> {
    const env = { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.url, STORYTIME_HOME: home };
    const secret = 'a-secret-of-the-tests-0123456789-abcdef';
    const more = { REDIS_URL: redisUrl, STORYTIME_SANDBOX: 'on', STORYTIME_LINK_SECRET: secret };
    const { out } = await say(['doctor', '--json'], { ...env, ...more });
    const { checks } = JSON.parse(out) as { checks: { check: string; status: string; detail: string }[] };
    return Object.fromEntries(checks.map(({ check, status, detail }) => [check, { status, detail }]));
  }

  test(`${kind}: pressure and doctor tell of the server that has the jobs, whatever the others are like`, async () => {
    const master = group().master();
    for (const node of group().nodes) {
      const has = node === master;
      ask(node, 'CONFIG', 'SET', 'maxmemory', String((has ? 200 : 100) * megabyte));
      ask(node, 'CONFIG', 'SET', 'maxmemory-policy', has ? 'allkeys-lru' : 'noeviction');
    }
    expect(await doctor(group().url)).toMatchObject({
      engine: { status: 'ok', detail: `BullMQ on ${called}` },
      'redis eviction': { status: 'warn', detail: 'allkeys-lru' },
      'redis persistence': { status: 'ok' },
      'redis memory': {
        status: 'ok',
        detail: expect.stringMatching(/^\d+ MB used, [0-9] % of maxmemory$/),
      },
    });
    const used = Number(/^used_memory:(\d+)/m.exec(ask(master, 'INFO', 'memory'))?.[1]);
    ask(master, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    ask(master, 'CONFIG', 'SET', 'maxmemory', String(Math.round(used / 0.87)));
    for (let look = 0; look < 5; look += 1) {
      await broker.ping();
      expect(broker.pressure).toMatchObject({ holdsAdds: true });
    }
    ask(master, 'CONFIG', 'SET', 'maxmemory', '0');
    await broker.ping();
    expect(broker.pressure).toEqual({ usedShare: 0, holdsAdds: false, holdsTakes: false });
  });

  test(`${kind}: who takes over shows its own run and its own memory, and who asked to be told is told`, async () => {
    const before = await broker.writeEpoch(newId());
    expect(before.instance).toBe(runOf(group().master()));
    expect(await broker.readEpoch()).toEqual({ ...before, count: 2 });
    let returned = 0;
    broker.onReturn(() => (returned += 1));
    expect(returned).toBe(1);
    await group().master()?.kill();
    await eventually('another one has the jobs', () => group().master() !== undefined);
    await eventually('it answers', () =>
      broker.ping().then(
        () => true,
        () => false,
      ),
    );
    await eventually('it is told', () => returned > 1);
    const shown = await broker.readEpoch();
    expect(shown).toMatchObject({ epoch: before.epoch, instance: runOf(group().master()) });
    expect(shown?.count).toBeLessThanOrEqual(3); // it may not have had the last look
    expect(shown?.instance).not.toBe(before.instance);
    ask(group().master(), 'CONFIG', 'SET', 'maxmemory', String(1_000 * megabyte));
    await broker.ping();
    expect(broker.pressure.usedShare).toBeCloseTo(0.003, 2);
    expect(await doctor(group().url)).toMatchObject({
      engine: { status: 'ok', detail: `BullMQ on ${called}` },
    });
  });

  test(`${kind}: an address of another kind is told by what it is`, async () => {
    // Together: an address at which nothing can be had is tried for four seconds.
    const told = misfits(kind, group()).map(async ([address, reason]) => {
      const { engine: verdict } = await doctor(address);
      expect(verdict).toEqual({ status: 'fail', detail: expect.stringContaining(reason) });
    });
    await Promise.all(told);
  });
}

function misfits(kind: EngineKind, { url, nodes, sentinels, master }: RedisGroup): [string, string][] {
  const own = `127.0.0.1:${master()?.port}`;
  const dead = '127.0.0.1:1,127.0.0.1:2';
  if (kind === 'redis-cluster')
    return [
      [`redis://${own}`, 'this Redis is a node of a cluster; write REDIS_URL=redis+cluster://'],
      [`redis+sentinel://${own}/mymaster`, 'there is no Sentinel at this address'],
      [`redis+cluster://${dead}`, 'no node of the cluster answers'],
    ];
  const sentinel = `127.0.0.1:${sentinels[1]?.port}`;
  const fallen = nodes.find((node) => node.port !== master()?.port);
  return [
    [`redis+cluster://${own}`, 'there is no node of a cluster at this address'],
    [`redis+cluster://${sentinel}`, 'there is no node of a cluster at this address'],
    [`redis+sentinel://${own}/mymaster`, 'there is no Sentinel at this address'],
    [`redis://${sentinel}`, 'this is a Sentinel and holds no jobs; write REDIS_URL=redis+sentinel://'],
    [url.replace('mymaster', 'nobody'), 'the Sentinels know no master named nobody'],
    [`redis+sentinel://${dead}/mymaster`, 'no Sentinel answers: '],
    [`redis://127.0.0.1:${fallen?.port}`, 'BullMQ on Redis: connect ECONNREFUSED'],
  ];
}

function runOf(node: TestRedis | undefined): string | undefined {
  return /^run_id:(\w+)/m.exec(ask(node, 'INFO', 'server'))?.[1];
}
