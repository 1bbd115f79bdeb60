// Gemini's two models behind their own gates: the real adapter and guards against the sandbox, in two processes' views of one
// ledger. What a call finds out about its model stays with it; a refused key is everybody's.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../shared/config.ts';
import { createEvents, type Events } from '../../shared/events.ts';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { readGates, resetGates, tripGates, type GateRow } from '../../ledger/gates.ts';
import { createProviders } from '../../providers/create.ts';
import { openGates } from '../../workers/gates.ts';
import { startSandbox, type Sandbox } from '../../sandbox/server.ts';
import { openLedger, query, type LedgerWorld } from '../ledger/world.ts';
import { failure } from '../providers/vendor.ts';
import { eventually } from '../support/house.ts';
import { openStage } from './stage.ts';

type Model = 'text' | 'pictures';

interface Side {
  call: (model: Model) => Promise<unknown>;
  alerts: Events['provider.alert'][];
  seen: Events['provider.gate'][];
  breakers: Events['provider.breaker'][];
  /** Resolves when what it found out is written. */
  close: () => Promise<void>;
}

const operations = { text: 'generate-text', pictures: 'generate-picture' } as const;
const refusedKey = { kind: 'status', status: 401 };

let world: LedgerWorld;
let sandbox: Sandbox;
let dataDir: string;
let sides: Side[];
beforeEach(async () => {
  sides = [];
  dataDir = await mkdtemp(join(tmpdir(), 'storytime-gates-'));
  [world, sandbox] = await Promise.all([openLedger(), startSandbox({ dataDir, keys: sandboxKeys })]);
});
afterEach(async () => {
  await Promise.all(sides.map((side) => side.close()));
  await Promise.all([world.close(), sandbox.close()]);
  await rm(dataDir, { recursive: true });
});

/** `baseMs`: of a closing by an outage; long, unless the test waits for its end. */
function openSide(baseMs = 60_000): Side {
  const { emit, on } = createEvents();
  const gates = openGates({ db: world.db, emit, baseMs });
  const config = loadConfig({
    NODE_ENV: 'test',
    STORYTIME_SANDBOX: 'on',
    STORYTIME_SANDBOX_URL: sandbox.url,
    STORYTIME_SANDBOX_SMTP_URL: sandbox.smtpUrl,
  });
  const { gemini, close } = createProviders(config, { emit, gateOf: gates.of });
  const call = {
    step: 'job:step',
    signal: new AbortController().signal,
    charge: () => undefined,
    afford: () => Promise.resolve(),
  };
  const brief = { childName: 'Mia', age: 5, theme: 'sea', language: 'en', pages: 3 };
  const side: Side = {
    call: (model) =>
      model === 'text'
        ? gemini.writeStory(brief, call)
        : gemini.drawPicture({ scene: 'A fox', artDirection: 'Ink' }, call),
    alerts: [],
    seen: [],
    breakers: [],
    close: async () => {
      await close();
      await gates.close();
    },
  };
  on('provider.alert', (event) => side.alerts.push(event));
  on('provider.gate', (event) => side.seen.push(event));
  on('provider.breaker', (event) => side.breakers.push(event));
  sides.push(side);
  return side;
}

/** Until it is cleared; of one model, or of every request of Gemini. */
async function fault(given: object, model?: Model): Promise<void> {
  const operation = model === undefined ? {} : { operation: operations[model] };
  const response = await fetch(`${sandbox.url}/_sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'gemini', ...operation, fault: given }),
  });
  expect(response.status).toBe(201);
}

async function heal(): Promise<void> {
  await fetch(`${sandbox.url}/_sandbox/faults`, { method: 'DELETE' });
}

async function readRows(): Promise<Map<string, GateRow>> {
  return (await readGates(world.db)).gates;
}

async function requests(): Promise<number> {
  const answer = await fetch(`${sandbox.url}/_sandbox/calls?provider=gemini`);
  return ((await answer.json()) as { calls: unknown[] }).calls.length;
}

for (const [model, other] of [
  ['pictures', 'text'],
  ['text', 'pictures'],
] as const) {
  test(`a used-up quota of ${model} closes that gate for all, and nobody is kept from ${other}`, async () => {
    const [a, b] = [openSide(), openSide()];
    await fault({ kind: 'quota' }, model);
    const failed = await failure(a.call(model));
    expect(failed).toMatchObject({ code: 'quota_exhausted', provider: 'gemini', gate: `gemini-${model}` });
    await eventually('it is written', async () => (await readRows()).size === 1);
    expect(await failure(b.call(model))).toMatchObject({ code: 'quota_exhausted', breakerOpen: true });
    await Promise.all([a.call(other), b.call(other)]);
    expect([...(await readRows())]).toEqual([
      [`gemini-${model}`, expect.objectContaining({ open: false, reason: 'quota_exhausted' })],
    ]);
    expect([...a.alerts, ...b.alerts]).toEqual([
      { provider: 'gemini', gate: `gemini-${model}`, reason: 'quota_exhausted' },
    ]);
  });
}

test('a rate limit of one model closes that gate alone, for as long as was asked', async () => {
  const side = openSide();
  await fault({ kind: 'status', status: 429, headers: { 'retry-after': '60' } }, 'pictures');
  expect(await failure(side.call('pictures'))).toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 });
  expect(await failure(side.call('pictures'))).toMatchObject({ code: 'rate_limited', breakerOpen: true });
  await side.call('text');
  await eventually('it is written', async () => (await readRows()).size === 1);
  expect((await readRows()).get('gemini-pictures')).toMatchObject({ reason: 'rate_limited' });
});

test('an outage of one model opens its breaker and closes its gate; the other is called on', async () => {
  const side = openSide();
  await fault({ kind: 'reset', billed: false }, 'pictures');
  for (let call = 0; call < 4; call += 1) await failure(side.call('pictures'));
  expect(side.breakers).toEqual([{ provider: 'gemini', gate: 'gemini-pictures', state: 'open' }]);
  expect(await failure(side.call('pictures'))).toMatchObject({ code: 'unavailable', breakerOpen: true });
  await side.call('text');
  await eventually('it is written', async () => (await readRows()).size === 1);
  expect((await readRows()).get('gemini-pictures')).toMatchObject({ open: false, reason: 'unavailable' });
});

test('a refused key closes both at once, for all, with one alert whoever finds it out', async () => {
  const [a, b] = [openSide(), openSide()];
  await fault(refusedKey);
  const both = await Promise.all([failure(a.call('text')), failure(b.call('pictures'))]);
  expect(both).toMatchObject([{ code: 'auth' }, { code: 'auth' }]);
  const before = await requests();
  // Its own process need not read that from the ledger.
  expect(await failure(a.call('pictures'))).toMatchObject({ code: 'auth', breakerOpen: true });
  expect(await failure(b.call('text'))).toMatchObject({ code: 'auth', breakerOpen: true });
  expect(await requests()).toBe(before);
  await Promise.all(sides.map((side) => side.close()));
  const rows = await readRows();
  for (const name of ['gemini-text', 'gemini-pictures'])
    expect(rows.get(name)).toMatchObject({ open: false, reason: 'auth' });
  expect([...a.alerts, ...b.alerts]).toEqual([
    expect.objectContaining({ provider: 'gemini', reason: 'auth' }),
  ]);
});

test('a refused key is no news for a gate that an operator had closed, nor for one whose time is over', async () => {
  const side = openSide();
  await tripGates(world.db, { gates: ['gemini-text'], forMs: 60_000, note: 'INC-42', by: 'ada' });
  await fault(refusedKey);
  await failure(side.call('pictures'));
  await eventually('it is told', () => side.alerts.length === 1);
  expect((await readRows()).get('gemini-text')).toMatchObject({ reason: 'operator' });
  await query(world, `UPDATE gate SET open_until = clock_timestamp() - interval '1 ms'`);
  const other = openSide();
  expect(await failure(other.call('text'))).toMatchObject({ code: 'auth' });
  await other.close();
  expect((await readRows()).get('gemini-text')).toMatchObject({ reason: 'auth' });
  expect([side.alerts.length, other.alerts]).toEqual([1, []]);
});

test('each gate has its own probe and its own slow return', async () => {
  await tripGates(world.db, { gates: ['gemini-text', 'gemini-pictures'], forMs: 1, note: 'x', by: 'ada' });
  const side = openSide(200);
  await fault({ kind: 'status', status: 400 }, 'pictures'); // an answer, so the probe finds the model back
  await fault({ kind: 'status', status: 503 }, 'text');
  await eventually('pictures are back', async () => {
    await Promise.allSettled([side.call('text'), side.call('pictures')]);
    return (await readRows()).get('gemini-pictures')?.open === true;
  });
  const rows = await readRows();
  expect(rows.get('gemini-pictures')).toMatchObject({ open: true, opening: expect.any(Number) });
  expect(rows.get('gemini-text')).toMatchObject({ open: false, reason: 'unavailable', opening: undefined });
  await heal();
  await eventually('stories are back', async () => {
    await side.call('text').catch(() => undefined);
    return (await readRows()).get('gemini-text')?.open === true;
  });
  const openings = [...(await readRows()).values()].map(({ opening }) => opening);
  expect(new Set(openings).size).toBe(2);
});

test('a row that an older build has closed stops the model that writes, and its reset lets it write again', async () => {
  await query(
    world,
    `INSERT INTO gate (provider, reason, open_until) VALUES ('gemini', 'unavailable', now() + interval '1 min')`,
  );
  const side = openSide();
  expect(await failure(side.call('text'))).toMatchObject({ code: 'unavailable', breakerOpen: true });
  await side.call('pictures');
  expect(side.seen).toEqual([
    { provider: 'gemini', gate: 'gemini-text', state: 'closed', reason: 'unavailable' },
  ]);
  await resetGates(world.db, ['gemini-text']);
  await eventually('it writes', () =>
    side.call('text').then(
      () => true,
      () => false,
    ),
  );
});

test("while the pictures' quota is used up stories are written; pictures snooze and keep their attempts", async () => {
  const side = openSide();
  await fault({ kind: 'quota' }, 'pictures');
  const stage = await openStage({
    handler: ({ payload }: { payload: { model: Model } }) => side.call(payload.model).then(() => ({})),
  });
  try {
    for (let round = 0; round < 2; round += 1) {
      const [drawn, told] = [await stage.add({ model: 'pictures' }), await stage.add({ model: 'text' })];
      expect(await stage.deliver(drawn)).toMatchObject({ outcome: 'snoozed' });
      expect(await stage.row(drawn)).toMatchObject({
        state: 'snoozed',
        failures: 0,
        errorCode: 'quota_exhausted',
      });
      expect(await stage.deliver(told)).toMatchObject({ outcome: 'succeeded' });
    }
  } finally {
    await stage.close();
  }
});
