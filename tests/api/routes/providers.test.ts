// The providers over HTTP: everybody with jobs:read sees them, an operator closes and opens a gate, twice if he likes.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { gateMs } from '../../../ledger/gates.ts';
import type { ProviderView } from '../../../ledger/queries-providers.ts';
import { ask, openApi, problemOf, type ApiWorld, type Ask } from '../world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
});
afterAll(() => world.close());

const open = { state: 'open', reason: null, note: null, by: null, since: null, until: null };
const operator = { key: 'operator', method: 'POST' } as const;

async function read(path: string, given: Ask = { key: 'reader' }): Promise<ProviderView> {
  return (await (await ask(world, path, given)).json()) as ProviderView;
}

async function states(path: string, given: Ask): Promise<string[]> {
  return (await read(path, given)).gates.map(({ state }) => state);
}

test('all five are listed, and each has an address', async () => {
  const { providers } = (await (await ask(world, '/v1/providers', { key: 'reader' })).json()) as {
    providers: ProviderView[];
  };
  expect(providers).toHaveLength(5);
  expect(await read('/v1/providers/gemini')).toEqual(providers[0]);
  expect(providers[0]).toEqual({
    provider: 'gemini',
    gate: open,
    maxCalls: null,
    windowSeconds: 900,
    calls: 0,
    errorShare: null,
    p95Ms: null,
    spentTodayMicroUsd: 0,
    gates: ['gemini-text', 'gemini-pictures'].map((name) => ({ name, ...open, maxCalls: null })),
  });
  const fields = [
    'provider',
    'gate',
    'maxCalls',
    'windowSeconds',
    'calls',
    'errorShare',
    'p95Ms',
    'spentTodayMicroUsd',
  ];
  for (const view of providers) expect(Object.keys(view)).toEqual([...fields, 'gates']); // new ones at the end
  expect(providers.slice(1).map(({ provider, gates }) => [provider, gates.map(({ name }) => name)])).toEqual([
    ['elevenlabs', ['elevenlabs']],
    ['deepgram', ['deepgram']],
    ['cloudinary', ['cloudinary']],
    ['smtp', ['smtp']],
  ]);
});

test('a trip of one gate leaves the other open, and the provider is as bad as its worst', async () => {
  const body = { forMs: 60_000, reason: 'bad hands' };
  const tripped = await read('/v1/providers/gemini-pictures/trip', { ...operator, body });
  expect(tripped.provider).toBe('gemini');
  expect(tripped.gates).toMatchObject([
    { name: 'gemini-text', state: 'open' },
    { name: 'gemini-pictures', state: 'closed', reason: 'operator', note: 'bad hands' },
  ]);
  expect(tripped.gate).toMatchObject({ state: 'closed', note: 'bad hands' });
  expect(await read('/v1/providers/gemini-pictures')).toEqual(tripped);
  expect(world.notices.map(({ message }) => message)).toContain(
    'gemini-pictures: gate closed by an operator',
  );
  const longer = await read('/v1/providers/gemini-text/trip', {
    ...operator,
    body: { forMs: 90_000, reason: 'longer' },
  });
  expect(longer.gate).toMatchObject({ note: 'longer' });
  expect((await read('/v1/providers/gemini-text/reset', operator)).gate).toMatchObject({ note: 'bad hands' });
  expect((await read('/v1/providers/gemini-pictures/reset', operator)).gate).toEqual(open);
});

test('a trip and a reset of the provider are of all its gates', async () => {
  const body = { forMs: 60_000, reason: 'INC-43' };
  expect(await states('/v1/providers/gemini/trip', { ...operator, body })).toEqual(['closed', 'closed']);
  expect(await states('/v1/providers/gemini-text/reset', operator)).toEqual(['open', 'closed']);
  expect(await states('/v1/providers/gemini/reset', operator)).toEqual(['open', 'open']);
});

test('a trip closes the gate for all, a second click changes nothing but its end, a reset opens it, and so does another', async () => {
  const body = { forMs: 60_000, reason: 'INC-42' };
  const first = await read('/v1/providers/elevenlabs/trip', { ...operator, body });
  expect(first.gate).toMatchObject({
    state: 'closed',
    reason: 'operator',
    note: 'INC-42',
    by: 'key operator',
  });
  expect(await gateMs(world.db, 'elevenlabs')).toBeGreaterThan(50_000);
  const second = await read('/v1/providers/elevenlabs/trip', { ...operator, body });
  expect(second.gate.since).toEqual(first.gate.since);
  expect(await read('/v1/providers/elevenlabs')).toEqual(second);
  const answers = [
    await ask(world, '/v1/providers/elevenlabs/reset', operator),
    await ask(world, '/v1/providers/elevenlabs/reset', { ...operator, body: {} }),
  ];
  for (const answer of answers)
    expect([answer.status, ((await answer.json()) as ProviderView).gate.state]).toEqual([200, 'open']);
  const notices = world.notices.map(({ message }) => message);
  expect(notices.filter((message) => message.startsWith('elevenlabs'))).toEqual([
    'elevenlabs: gate closed by an operator',
    'elevenlabs: gate closed by an operator',
    'elevenlabs: gate opened by an operator',
    'elevenlabs: gate opened by an operator',
  ]);
});

test('a key without the right to operate may look and not touch', async () => {
  const body = { forMs: 60_000, reason: 'x' };
  for (const act of ['trip', 'reset']) {
    const response = await ask(world, `/v1/providers/smtp/${act}`, {
      key: 'reader',
      body: act === 'trip' ? body : {},
    });
    expect([response.status, (await problemOf(response)).code]).toEqual([403, 'insufficient_scope']);
  }
  const response = await ask(world, '/v1/providers', { key: 'stories' });
  expect(response.status).toBe(403);
  expect(await gateMs(world.db, 'smtp')).toBeUndefined();
});

test.each([
  'gemni',
  'gemini-',
  'gemini-image',
  'GEMINI',
  '__proto__',
  'constructor',
  '..%2Fgemini',
  'x'.repeat(300),
  'gemini%00',
])('the provider %s is a 404 that lists the providers and their gates', async (name) => {
  for (const [path, given] of [
    [`/v1/providers/${name}`, {}],
    [`/v1/providers/${name}/trip`, { ...operator, body: { forMs: 60_000, reason: 'x' } }],
    [`/v1/providers/${name}/reset`, operator],
  ] as const) {
    const response = await ask(world, path, given);
    const problem = await problemOf(response);
    expect([response.status, problem.code]).toEqual([404, 'provider_not_found']);
    expect(problem.detail).not.toContain('\0');
    expect(problem.detail).toContain(
      'known are gemini (its gates are gemini-text, gemini-pictures), elevenlabs, deepgram, cloudinary, smtp',
    );
  }
});

test.each([
  [{ forMs: 999, reason: 'x' }, 'validation_failed', '/forMs'],
  [{ forMs: 604_800_001, reason: 'x' }, 'validation_failed', '/forMs'],
  [{ forMs: 1.5e3 + 0.5, reason: 'x' }, 'validation_failed', '/forMs'],
  [{ forMs: '60s', reason: 'x' }, 'validation_failed', '/forMs'],
  [{ forMs: -1, reason: 'x' }, 'validation_failed', '/forMs'],
  [{ reason: 'x' }, 'validation_failed', '/forMs'],
  [{ forMs: 60_000 }, 'validation_failed', '/reason'],
  [{ forMs: 60_000, reason: '  ' }, 'validation_failed', '/reason'],
  [{ forMs: 60_000, reason: 'x'.repeat(201) }, 'validation_failed', '/reason'],
  [{ forMs: 60_000, reason: 'a\u0000b' }, 'validation_failed', '/reason'],
  [{ forMs: 60_000, reason: 'x', until: 'noon' }, 'unknown_field', '/until'],
])('a trip of %j is refused at its field', async (body, code, pointer) => {
  const response = await ask(world, '/v1/providers/gemini/trip', { ...operator, body });
  const problem = await problemOf(response);
  expect([response.status, problem.code, problem.errors[0]?.pointer]).toEqual([422, code, pointer]);
  expect(await gateMs(world.db, 'gemini')).toBeUndefined();
});

test('a reset takes nothing, and a trip takes an object', async () => {
  const field = await ask(world, '/v1/providers/gemini/reset', { ...operator, body: { hard: true } });
  expect((await problemOf(field)).code).toBe('unknown_field');
  for (const path of ['trip', 'reset']) {
    const list = await ask(world, `/v1/providers/gemini/${path}`, { ...operator, body: [1] });
    expect([list.status, (await problemOf(list)).code]).toEqual([422, 'object_required']);
  }
});
