// Pictures that are weapons: small files that unfold to gigabytes, films, documents that call themselves pictures. Each is
// refused by its header, before anything is decoded or uploaded, for good, and the process does not grow by it.
import { readFileSync, writeFileSync } from 'node:fs';
import { stdout } from 'node:process';
import { crc32, deflateSync } from 'node:zlib';
import { expect } from '@jest/globals';
import sharp from 'sharp';
import { addArtifact, addStory } from './kit/pictures.ts';
import { faultRow } from './kit/row.ts';
import type { World } from './kit/world.ts';

const picture = sharp({ create: { width: 640, height: 480, channels: 3, background: '#6a5acd' } });

/** A PNG that says it is of this size. */
async function pngOfSize(width: number, height: number): Promise<Buffer> {
  const bytes = await picture.clone().png().toBuffer();
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

function gifOf(frames: number): Buffer {
  const head = Buffer.from('47494638396101000100800000000000ffffff', 'hex');
  const frame = Buffer.from('21f90400010000002c0000000001000100000202440100', 'hex');
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from(';')]);
}

/** A good picture whose colour profile unfolds to 200 MB. */
async function profileBomb(): Promise<Buffer> {
  const png = await picture.clone().png().toBuffer();
  const data = Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(Buffer.alloc(200_000_000))]);
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write('iCCP', 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

async function weapons(): Promise<Record<string, Uint8Array>> {
  const jpeg = await picture.clone().jpeg().toBuffer();
  return {
    bomb: await pngOfSize(30_000, 30_000),
    flat: await pngOfSize(0, 480),
    film: gifOf(10_000),
    svg: Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
    cut: jpeg.subarray(0, jpeg.length / 2),
    page: Buffer.from('<html><body>image/png</body></html>'),
  };
}

faultRow(
  {
    ft: '40',
    tier: 'P',
    engines: ['redis'],
    name: 'pictures that would unfold to gigabytes are refused by their header, and the process does not grow',
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api', { kinds: 'storytime' });
    const worker = await world.start('work', { kinds: 'storytime' });
    const storyId = await addStory(world);
    const process = async (bytes: Uint8Array): Promise<string> => {
      const artifactId = await addArtifact(world, bytes);
      const { jobId = '' } = await world.caller.enqueue('process-image', { storyId, page: 1, artifactId });
      await world.settled(30_000);
      return jobId;
    };
    await process(await picture.clone().png().toBuffer());
    const before = beginPeak(worker.pid);
    await process(await profileBomb()); // a picture all the same: only its profile is left behind
    const afterProfile = peakOf(worker.pid);
    const refused = new Map<string, string>();
    for (const [name, bytes] of Object.entries(await weapons())) refused.set(await process(bytes), name);
    const grown = [afterProfile, peakOf(worker.pid)].map((now) => Math.round((now - before) / 1e6));
    stdout.write(`grown by ${grown.join(', ')} MB\n`);
    expect(grown[1]).toBeLessThan(50);
    expect(worker.ends).toEqual([]);
    for (const { id, state, error, ms } of await endings(world, [...refused.keys()]))
      expect([refused.get(id), state, error, ms < 1_000]).toEqual([
        refused.get(id),
        'dead',
        'bad_input',
        true,
      ]);
    const uploaded = (await sandbox.bill()).map(({ step = '' }) => step.split(':')[0] ?? '');
    expect(uploaded.filter((id) => refused.has(id))).toEqual([]);
    expect(uploaded).toHaveLength(2);
    const finals = ['succeeded', 'dead'];
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I6', 'I9', 'I12'], { finals });
    return { ...counts, recoveryMs: 0, jobs: refused.size + 2 };
  },
);

/** Forgets what the process held before, and gives what it holds now, in bytes. */
function beginPeak(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return peakOf(pid);
}

/** The most memory that the process has held since then, in bytes. */
function peakOf(pid: number): number {
  const [, kB = '0'] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) * 1_024;
}

interface Ending {
  id: string;
  state: string;
  error: string;
  /** How long its one attempt took. */
  ms: number;
}

async function endings({ db }: World, ids: readonly string[]): Promise<Ending[]> {
  const statement = {
    name: 'row_endings',
    text: `SELECT j.id, j.state::text, j.error_code AS error, extract(epoch FROM a.ended_at - a.started_at)::float8 * 1000 AS ms
      FROM job j JOIN attempt a ON a.job_id = j.id WHERE j.id = ANY($1::uuid[])`,
  };
  const rows = await db.run<Ending & Record<string, unknown>>(statement, [ids]);
  expect(rows).toHaveLength(ids.length);
  return rows;
}
