// Covers: queues/registry.ts
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { checkJob } from '../../queues/check.ts';
import { defineQueue, type KindDefinition, type Upgrades } from '../../queues/define.ts';
import { createRegistry, type RegisteredKind } from '../../queues/registry.ts';
import { knowledge, runnableVersions, upgradePayload } from '../../queues/versions.ts';

function registryOf(change: Partial<KindDefinition>) {
  const plain = { payload: z.looseObject({}), result: z.unknown(), replay: 'safe' } as const;
  const settings = {
    concurrency: 1,
    timeoutMs: 1,
    retry: { attempts: 1, backoff: 'fixed', delayMs: 1 },
  } as const;
  return createRegistry([
    defineQueue({ name: 'mail', ...settings, jobs: { send: { ...plain, ...change }, look: plain } }),
  ]);
}

function kindOf(change: Partial<KindDefinition>): RegisteredKind {
  const kind = registryOf(change).find('send');
  if (kind === undefined) throw new Error('the kind is not there');
  return kind;
}

const add = (name: string) => (payload: unknown) => ({ ...(payload as object), [name]: true });
const upgrade: Upgrades = { 2: add('three'), 3: add('four') };

test('a payload climbs from its version to the one of today, one step at a time', () => {
  const kind = kindOf({ version: 4, upgrade });
  expect(upgradePayload(kind, 4, {})).toEqual({});
  expect(upgradePayload(kind, 3, {})).toEqual({ four: true });
  expect(upgradePayload(kind, 2, {})).toEqual({ three: true, four: true });
});

test('a build runs its own version and those from which no step is missing', () => {
  expect(runnableVersions(kindOf({}))).toEqual([1]);
  expect(runnableVersions(kindOf({ version: 4, upgrade }))).toEqual([4, 3, 2]);
  expect(runnableVersions(kindOf({ version: 4, upgrade: { 1: add('two'), 3: add('four') } }))).toEqual([
    4, 3,
  ]);
});

test('a process tells what it can run, under every name that a job may have', () => {
  const registry = registryOf({ version: 2, upgrade: { 1: add('two') }, aliases: ['post'] });
  expect(knowledge(registry, ['mail'])).toEqual([
    'send@2/mail',
    'send@1/mail',
    'post@2/mail',
    'post@1/mail',
    'look@1/mail',
  ]);
  expect(knowledge(registry, ['voice'])).toEqual([]);
});

test('a caller may still use the former name of a kind, and its jobs get the new one', () => {
  const registry = registryOf({ aliases: ['post'], version: 3 });
  expect(checkJob(registry, { kind: 'post', payload: {} }, Date.now()).kind).toMatchObject({
    kind: 'send',
    version: 3,
  });
});

test('a version that cannot be meant, or a name that is taken, is refused when the registry is built', () => {
  for (const version of [0, 1.5, 40_000]) expect(() => kindOf({ version })).toThrow(/send has version/);
  expect(() => kindOf({ version: 2, upgrade })).toThrow(/upgrades from 2, 3/);
  expect(() => kindOf({ aliases: ['look'] })).toThrow(/look, an alias of send, is taken/);
  expect(() => kindOf({ aliases: ['post', 'post'] })).toThrow(/post, an alias of send, is taken/);
});
