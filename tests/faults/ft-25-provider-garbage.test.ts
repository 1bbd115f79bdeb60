// Providers that answer 200 with rubbish: cut JSON, a page of HTML, 20 MB, NUL, another type than promised, silence, a picture
// without pixels. It costs a retry, never a process; and what was in it is found in no log and no error.
import { expect } from '@jest/globals';
import { eventually } from '../support/house.ts';
import { faultRow } from './kit/row.ts';
import type { FaultSandbox } from './kit/sandbox.ts';
import { canary, type World } from './kit/world.ts';

const stories = 3;

const html = `<html><body>${canary}</body></html>`;
const nul = `{"candidates":[{"content":{"parts":[{"text":"\u0000${canary}"}]}}]}`;
const long = canary.repeat(500_000);

/** A PNG's header of this size, with nothing behind it, as Gemini sends it. */
function picture(width: number, height: number): string {
  const bytes = Buffer.alloc(120);
  bytes.write('89504e470d0a1a0a0000000d49484452', 'hex');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return drawn(bytes);
}
function drawn(bytes: Buffer): string {
  const inlineData = { mimeType: 'image/png', data: bytes.toString('base64') };
  return JSON.stringify({ candidates: [{ content: { parts: [{ inlineData }] }, finishReason: 'STOP' }] });
}

interface Garbage {
  provider: string;
  operation: string;
  body: string;
  contentType?: string;
  /** Each job of the operation is hit once; default once a story. */
  times?: number;
}

const text = { provider: 'gemini', operation: 'generate-text' };
const draw = { provider: 'gemini', operation: 'generate-picture', times: stories };
const speak = { provider: 'elevenlabs', operation: 'text-to-speech', times: 1 };
const hear = { provider: 'deepgram', operation: 'listen', times: 1 };
const upload = { provider: 'cloudinary', operation: 'upload', times: 1 };

const rubbish: readonly Garbage[] = [
  { ...text, times: 1, body: `{"candidates":[{"content":{"parts":[{"text":"${canary}` },
  { ...text, times: 1, body: html, contentType: 'text/html' },
  { ...text, times: 1, body: nul },
  { ...draw, body: long },
  { ...draw, body: drawn(Buffer.from(html.repeat(10))) },
  { ...draw, body: picture(0, 400) },
  { ...draw, body: picture(30_000, 30_000) },
  { ...speak, body: `{"audio_base64":"${canary}` },
  { ...speak, body: '{"audio_base64":"","alignment":null}' },
  { ...speak, body: html, contentType: 'audio/mpeg' },
  { ...hear, body: `{"metadata":{"request_id":"${canary}` },
  { ...hear, body: html },
  { ...hear, body: `{"metadata":{"duration":"${canary}"},"results":null}` },
  { ...upload, body: html },
  { ...upload, body: `{"public_id":"${canary}` },
];

faultRow(
  {
    ft: '25',
    tier: 'P',
    engines: ['redis'],
    // No process is killed here: a machine under load must not be taken for one.
    timers: { STORYTIME_LEASE_MS: '10000', STORYTIME_RENEW_MS: '2000' },
    name: 'rubbish with status 200, in fifteen kinds, costs retries and neither a process nor a story',
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api', { kinds: 'storytime' });
    const worker = await world.start('work', { kinds: 'storytime' });
    for (const { provider, operation, times = 1, ...garbage } of rubbish)
      await sandbox.fault({ provider, operation, times, fault: { kind: 'garbage', ...garbage } });
    await world.caller.enqueueMany(stories, () => [
      'generate-story',
      { childName: 'Ottilie', age: 6, theme: 'a lighthouse', pages: 3 },
    ]);
    const recoveryMs = await ended(world);
    const counts = await world.check(['I1', 'I2', 'I3', 'I6', 'I9', 'I12']);
    expect([worker.ends, worker.alive]).toEqual([[], true]);
    expect(worker.lines.filter((line) => line.includes('ignores its abort'))).toEqual([]);
    expect(await unused(sandbox)).toEqual([]);
    const failed = await failedAttempts(world);
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['bad_output']));
    expect(failed.filter(({ told }) => /Ottilie|<html|\u0000/.test(told))).toEqual([]);
    const jobs = Object.values(await world.states()).reduce((sum, count) => sum + count, 0);
    return { ...counts, recoveryMs, jobs };
  },
);

async function ended(world: World): Promise<number> {
  const start = performance.now();
  await eventually(
    'every story is published',
    async () => {
      await world.hasten();
      return Object.keys(await world.states()).join() === 'succeeded';
    },
    100_000,
  );
  return performance.now() - start;
}

/** Faults that met no request. */
async function unused(sandbox: FaultSandbox): Promise<unknown[]> {
  const answer = await fetch(`${sandbox.url}/_sandbox/faults`);
  const { faults } = (await answer.json()) as { faults: { used: number; times: number }[] };
  return faults.filter(({ used, times }) => used < times);
}

async function failedAttempts({ db }: World): Promise<{ code: string; told: string }[]> {
  const statement = {
    name: 'row_failed_attempts',
    text: `SELECT code, concat(message, stack) AS told FROM attempt WHERE outcome = 'failed'`,
  };
  return db.run<{ code: string; told: string }>(statement, []);
}
