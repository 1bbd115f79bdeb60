// The `providers` commands against a real API: what an operator reads, closes and opens.
// Covers: cli/program-providers.ts, client/providers.ts
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { gateMs } from '../../ledger/gates.ts';
import { openApi, type ApiWorld } from '../api/world.ts';
import { say, type Said } from './world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
});
afterAll(() => world.close());

async function providers(line: readonly string[], key: keyof ApiWorld['keys'] = 'operator'): Promise<Said> {
  return say(['providers', ...line], { STORYTIME_URL: world.api.url, STORYTIME_KEY: world.keys[key] });
}

test('list prints a line for each provider, or one document', async () => {
  const said = await providers(['list'], 'reader');
  expect(said).toMatchObject({ code: 0, err: '' });
  expect(said.out.split('\n')[0]).toMatch(/^PROVIDER +CALLS +ERRORS +P95 +SPENT TODAY +GATE$/);
  expect(said.out).toMatch(/^gemini +0 +- +- +\$0\.00 +open$/m);
  const { schema, providers: list } = JSON.parse((await providers(['list', '--json'], 'reader')).out) as {
    schema: number;
    providers: { provider: string }[];
  };
  expect([schema, list.map(({ provider }) => provider)]).toEqual([
    1,
    ['gemini', 'elevenlabs', 'deepgram', 'cloudinary', 'smtp'],
  ]);
});

test('trip closes a gate with a reason and says how to open it, reset opens it', async () => {
  const tripped = await providers(['trip', 'elevenlabs', '--for', '30m', '--reason', 'INC-42']);
  expect(tripped.code).toBe(0);
  expect(tripped.out).toMatch(
    /^elevenlabs: gate closed until [\d: -]+UTC: operator \(INC-42\) since .*, by key operator\n$/,
  );
  expect(tripped.err).toContain('storytime providers reset elevenlabs');
  expect(await gateMs(world.db, 'elevenlabs')).toBeGreaterThan(1_700_000);
  expect((await providers(['list'])).out).toMatch(/^elevenlabs .* closed until /m);
  expect(await providers(['reset', 'elevenlabs'])).toEqual({
    code: 0,
    out: 'elevenlabs: gate open\n',
    err: '',
  });
  expect(await gateMs(world.db, 'elevenlabs')).toBeUndefined();
});

test('one gate is closed and opened by its name, and the list tells which is', async () => {
  const tripped = await providers(['trip', 'gemini-pictures', '--for', '30m', '--reason', 'hands']);
  expect(tripped.out).toMatch(/^gemini: gate gemini-text open; gemini-pictures closed until .*\(hands\)/);
  expect(tripped.err).toContain('storytime providers reset gemini-pictures');
  expect((await providers(['list'])).out).toMatch(
    /^gemini .* gemini-text open; gemini-pictures closed until /m,
  );
  await providers(['trip', 'gemini', '--for', '30m', '--reason', 'all']);
  expect((await providers(['list'])).out).toMatch(/^gemini .* closed until [^;]*\(all\)[^;]*$/m);
  expect(await providers(['reset', 'gemini'])).toMatchObject({ code: 0, out: 'gemini: gate open\n' });
});

test('of an API that tells no gates yet the one that it tells is shown', async () => {
  const gate = { state: 'closed', reason: 'auth', note: null, by: null, since: null, until: null };
  const figures = { windowSeconds: 900, calls: 0, errorShare: null, p95Ms: null, spentTodayMicroUsd: 0 };
  const providersOf = [{ provider: 'gemini', gate, maxCalls: 2, ...figures }];
  const older = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ providers: providersOf }));
  });
  await new Promise<void>((resolve) => void older.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(older.address() as AddressInfo).port}`;
  const said = await say(['providers', 'list'], { STORYTIME_URL: url, STORYTIME_KEY: world.keys.reader });
  older.closeAllConnections();
  older.close();
  expect(said.out).toMatch(
    /^gemini .* closed until some time: auth since some time, at most 2 calls at once$/m,
  );
});

test('a wrong name, a wrong time and a missing right each have their own end', async () => {
  const unknown = await providers(['trip', 'eleven', '--for', '5m', '--reason', 'x']);
  expect([unknown.code, unknown.err]).toEqual([
    1,
    expect.stringContaining('"eleven" is not a provider; known are gemini'),
  ]);
  expect((await providers(['trip', 'smtp', '--for', '5', '--reason', 'x'])).code).toBe(2);
  expect((await providers(['trip', 'smtp', '--for', '30d', '--reason', 'x'])).code).toBe(2);
  expect((await providers(['trip', 'smtp', '--for', '5m'])).code).toBe(2);
  expect((await providers(['reset', 'smtp'], 'reader')).code).toBe(4);
});
