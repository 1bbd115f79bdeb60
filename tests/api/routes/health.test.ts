import { afterEach, expect, test } from '@jest/globals';
import { openDb } from '../../../ledger/db.ts';
import { createEnqueue } from '../../../ledger/enqueue.ts';
import { createMetrics } from '../../../shared/metrics.ts';
import { createEvents } from '../../../shared/events.ts';
import { ask, openApi, problemOf, storyBody, type ApiWorld } from '../world.ts';

let world: ApiWorld;
afterEach(() => world.close());

const seen = async (path: string): Promise<[number, unknown]> => {
  const response = await ask(world, path, { key: undefined });
  return [response.status, await response.json()];
};

test('without a key the probes answer, and tell nothing but their status', async () => {
  world = await openApi();
  expect(await seen('/livez')).toEqual([200, { status: 'alive' }]);
  expect(await seen('/readyz')).toEqual([200, { status: 'ready' }]);
});

test('an absent engine leaves the API ready and degraded', async () => {
  world = await openApi({ readiness: async () => ({ ledger: true, engine: false }) });
  const verbose = { status: 'ready', ledger: true, engine: false, draining: false, degraded: ['engine'] };
  expect(await seen('/readyz?verbose')).toEqual([200, verbose]);
});

test('an absent ledger, or a check that breaks, is a 503 while the process lives', async () => {
  world = await openApi({ readiness: () => Promise.reject(new Error('the ledger is away')) });
  expect(await seen('/readyz')).toEqual([503, { status: 'unavailable' }]);
  expect(await seen('/livez')).toEqual([200, { status: 'alive' }]);
});

test('a closing server is not ready and sends everyone else away with their connection', async () => {
  world = await openApi({ draining: () => true, closing: () => true });
  const response = await ask(world, '/v1/jobs', { body: storyBody });
  expect(response.headers.get('connection')).toBe('close');
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await problemOf(response)).toMatchObject({ status: 503, code: 'shutting_down' });
  expect(await seen('/readyz')).toEqual([503, { status: 'unavailable' }]);
  expect(await seen('/livez')).toEqual([200, { status: 'alive' }]);
});

test('metrics take a key with jobs:read, and are not there when nobody measures', async () => {
  world = await openApi({ metrics: createMetrics(createEvents(), { version: 'test' }) });
  expect((await ask(world, '/metrics', { key: undefined })).status).toBe(401);
  expect((await ask(world, '/metrics', { key: 'stories' })).status).toBe(403);
  expect(await (await ask(world, '/metrics', { key: 'reader' })).text()).toContain('storytime_build_info');
  await world.close();
  world = await openApi();
  expect((await ask(world, '/metrics')).status).toBe(404);
});

test('a ledger that is away while a job is sent is a 503 that asks for the same key again', async () => {
  const { emit } = createEvents();
  const url = 'postgres://nobody@127.0.0.1:1/none';
  const db = openDb({ url, poolSize: 1, statementTimeoutMs: 500, emit });
  world = await openApi({ enqueue: createEnqueue({ db, emit, onCommitted: () => undefined }) });
  const response = await ask(world, '/v1/jobs', { body: storyBody });
  expect(response.headers.get('retry-after')).toBe('2');
  expect(await problemOf(response)).toMatchObject({ status: 503, code: 'ledger_unavailable' });
  await db.close();
});
