import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect } from '@jest/globals';
import { openUploads, type Asset } from '../../sandbox/uploads.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'uploads-'));
const described = (etag: string): Omit<Asset, 'version'> => ({
  asset_id: 'x',
  public_id: '../../escape/ä',
  resource_type: 'raw',
  format: '',
  etag,
  bytes: 1,
  created_at: '2026-11-21T00:00:00.000Z',
  tags: [],
});

test('uploads of one name at the same moment get versions of their own, and the last one wins with its own bytes', async () => {
  const dataDir = folder();
  const uploads = openUploads(dataDir);
  const names = Array.from({ length: 12 }, (_, index) => `bytes ${index}`);
  const kept = await Promise.all(names.map((name) => uploads.put(described(name), Buffer.from(name))));
  expect(new Set(kept.map(({ version }) => version)).size).toBe(12);
  const asset = await openUploads(dataDir).get('raw', '../../escape/ä');
  expect(asset?.etag).toBe('bytes 11');
  expect(asset && String(await uploads.bytesOf(asset))).toBe('bytes 11');
});

test('of uploads that must not replace anything, at the same moment, one is stored and the others are told of it', async () => {
  const uploads = openUploads(folder());
  const names = Array.from({ length: 12 }, (_, index) => `bytes ${index}`);
  const told = await Promise.all(
    names.map((name) => uploads.putUnlessThere(described(name), Buffer.from(name))),
  );
  expect(told.filter(({ kept }) => !kept)).toHaveLength(1);
  const asset = await uploads.get('raw', '../../escape/ä');
  for (const one of told) expect(one.asset).toEqual(asset);
  expect(asset && String(await uploads.bytesOf(asset))).toBe(asset?.etag);
});

test('a derived picture is made once, and is gone with its asset', async () => {
  const uploads = openUploads(folder());
  const asset = await uploads.put(described('one'), Buffer.from('one'));
  let made = 0;
  const make = (): Promise<Buffer> => {
    made += 1;
    return Promise.resolve(Buffer.from('small'));
  };
  expect(String(await uploads.derived(asset, 'w_10', make))).toBe('small');
  expect(String(await uploads.derived(asset, 'w_10', make))).toBe('small');
  expect(made).toBe(1);
  expect([
    await uploads.remove('raw', asset.public_id),
    await uploads.remove('raw', asset.public_id),
  ]).toEqual([true, false]);
  expect(await uploads.get('raw', asset.public_id)).toBeUndefined();
});
