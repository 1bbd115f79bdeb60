// A ledger that is silent, and not refused: no route lets its client wait for longer than five seconds.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiRoutes } from '../../api/app.ts';
import { createAuthenticate } from '../../api/auth.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createPatience } from '../../api/patience.ts';
import { startApi } from '../../api/server.ts';
import { createLedgerClock } from '../../ledger/clock.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { createEnqueue } from '../../ledger/enqueue.ts';
import { createKeyring } from '../../ledger/keys.ts';
import { eventually } from '../support/house.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { ask, depsOf, openApi, post, problemOf, storyBody, type Ask, type ApiWorld } from './world.ts';

const promisedMs = 5_000;
/** More than there are routes: none of them waits for the connection of another. */
const poolSize = 20;
let world: ApiWorld;
let proxy: TestProxy;
let id: string;
beforeAll(async () => {
  world = await openApi();
  proxy = await startProxy(world.url);
  id = await post(world);
});
afterAll(async () => {
  await proxy.close();
  await world.close();
});

interface Far {
  api: ApiWorld;
  db: Db;
  close: () => Promise<void>;
}

/** An API whose ledger is behind the proxy, all but its keys when they are `near`. */
async function openFar(keys: 'near' | 'far'): Promise<Far> {
  const { emit } = world.events;
  const db = openDb({ url: proxy.url, poolSize, statementTimeoutMs: 2_000, emit });
  const enqueue = createEnqueue({ db, emit, onCommitted: () => undefined });
  const deps: ApiDeps = { ...depsOf({ ...world, db, enqueue }), now: createLedgerClock(db).now };
  const authenticate = createAuthenticate(createKeyring(keys === 'near' ? world : { db }));
  const api = await startApi({ ...deps, authenticate, host: '127.0.0.1', port: 0 });
  return {
    api: { ...world, api },
    db,
    async close() {
      await api.close();
      await db.close();
    },
  };
}

/** One request for every route that asks the ledger, and those with which a route asks it otherwise. */
function requests(): [string, Ask][] {
  const routes = apiRoutes(depsOf(world)).filter(({ path }) => path.startsWith('/v1/'));
  const fill = (path: string): string =>
    path.replace(':id', id).replace(':queue', 'story-generation').replace(':provider', 'gemini');
  const bodies: Record<string, unknown> = {
    '/v1/jobs': storyBody,
    '/v1/providers/:provider/trip': { forMs: 1_000, reason: 'a test' },
  };
  const plain = routes.map(({ method, path }): [string, Ask] => {
    const body = bodies[path];
    return [fill(path), body === undefined ? { method } : { method, body }];
  });
  const runAt = new Date(Date.now() + 60_000).toISOString();
  const later = { ...storyBody, options: { runAt } };
  return [
    ...plain,
    [`/v1/jobs/${id}?include=attempts,steps`, {}],
    [`/v1/artifacts/${id}?expires=1&signature=a`, { key: undefined }],
    ['/v1/jobs', { body: later }],
    ['/v1/jobs', { body: later, headers: { 'idempotency-key': 'silent' } }],
  ];
}

async function answers({ api }: Far): Promise<unknown[]> {
  return Promise.all(
    requests().map(async ([path, given]) => {
      const from = performance.now();
      const answer = await ask(api, path, given);
      const code = (await problemOf(answer)).code ?? answer.status;
      const ms = performance.now() - from;
      return [path, code, ms < promisedMs ? 'in time' : `${Math.round(ms)} ms`];
    }),
  );
}

const silent = () => requests().map(([path]) => [path, 'ledger_unavailable', 'in time']);

/** Every connection of the pool is open at once. */
async function openAll(db: Db): Promise<void> {
  const nap = { name: 'nap', text: 'SELECT pg_sleep(0.2)::text' };
  await Promise.all(Array.from({ length: poolSize }, () => db.run(nap, [])));
}

test.each([
  ['connections that are open already', 'near', true],
  ['connections that cannot be made', 'near', false],
  ['the look-up of a key, on open connections', 'far', true],
  ['the look-up of a key, on new ones', 'far', false],
] as const)('behind a silent network every route says so in time: %s', async (_name, keys, warm) => {
  const far = await openFar(keys);
  if (warm) await openAll(far.db);
  proxy.spoil({ how: 'blackhole' });
  const found = await answers(far);
  proxy.restore();
  expect(found).toEqual(silent());
  const back = Array.from({ length: 2 * poolSize }, () => ask(far.api, `/v1/jobs/${id}`));
  expect((await Promise.all(back)).map(({ status }) => status)).toEqual(back.map(() => 200));
  await far.close();
});

test('the time stands still while the body arrives, and goes on afterwards', async () => {
  const patience = createPatience(50);
  let hasArrived = false;
  const answered = patience.limit(async () => {
    await patience.standStill(async () => {
      const from = performance.now();
      await eventually('more time has passed than there is', () => performance.now() - from > 150);
      hasArrived = true;
    });
    return new Promise<never>(() => undefined);
  });
  await expect(answered).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(hasArrived).toBe(true);
});
