// SIGKILL between a provider's answer and the commit of its step: the worst moment there is, for the money is gone and nobody
// knows. Who can be asked first is asked (ElevenLabs' history); who cannot is paid once more; nothing is done twice that shows.
import { expect } from '@jest/globals';
import { faultRow } from './kit/row.ts';
import type { World } from './kit/world.ts';

/** The step at whose end a process is killed -> calls that its vendor bills in all, when nothing else hits the job. */
const killed: Readonly<Record<string, number>> = {
  write: 2, // Gemini
  upload: 2, // Cloudinary: the same public id again
  'speak-1': 1, // ElevenLabs
  transcribe: 2, // Deepgram
  send: 2, // the same Message-ID again
};

faultRow(
  {
    ft: '03',
    tier: 'P',
    timeoutMs: 240_000,
    name: 'an answer that was never stored is looked for where the vendor keeps it, and paid at most once more',
  },
  async (world) => {
    const sandbox = await world.startSandbox();
    await world.start('api', { kinds: 'storytime' });
    const env = world.planned();
    const steps = Object.keys(killed);
    world.plan([]);
    await Promise.all([1, 2].map(() => world.start('work', { kinds: 'storytime', supervised: true, env })));
    let recoveryMs = 0;
    // A story and a death at a time: a job that was in two of them goes on in the quarantine lane, where no kill is planned.
    for (const index of steps.keys()) {
      world.plan(steps.slice(0, index + 1).map((step) => ({ point: 'step.answered', action: 'kill', step })));
      await world.caller.enqueueMany(1, () => ['generate-story', wish(index)]);
      recoveryMs = Math.max(recoveryMs, await world.settled(60_000));
    }
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I9', 'I12']);
    expect(new Set(world.fired().map(({ step }) => step))).toEqual(new Set(steps));

    const bill = (await sandbox.bill()).filter(({ status }) => status < 300);
    const lost = await lostAttempts(world);
    const calls = (name: string): number => bill.filter(({ step }) => step === name).length;
    for (const { jobId, step = '' } of world.fired()) {
      const extra = calls(`${jobId}:${step}`) - 1;
      const wanted = (killed[step] ?? 0) - 1;
      // Another kill may have hit the second call of the same job: then it may have been paid a third time.
      expect([step, extra >= wanted && extra <= wanted * (lost.get(jobId) ?? 0)]).toEqual([step, true]);
    }
    const spoken = bill.filter(({ step = '' }) => /:speak-\d+$/.test(step)).map(({ step }) => step);
    expect(spoken).toHaveLength(new Set(spoken).size);

    const mails = await sandbox.mails();
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(steps.length);
    expect(mails.length).toBeGreaterThan(steps.length);
    expect(await degraded(world)).toBe(0);
    const jobs = Object.values(await world.states()).reduce((sum, count) => sum + count, 0);
    return { ...counts, recoveryMs, jobs };
  },
);

function wish(index: number): object {
  const notify = `ottilie@example.com`;
  return { childName: 'Ottilie', age: 6, theme: `a lighthouse, number ${index}`, pages: 3, notify };
}

/** Attempts that ended without our knowing how their call ended, as I4 counts them. */
async function lostAttempts({ db }: World): Promise<Map<string, number>> {
  const statement = {
    name: 'row_lost_attempts',
    text: `SELECT job_id, count(*)::int AS count FROM attempt
      WHERE outcome IN ('lost', 'crashed', 'interrupted') OR code IN ('unknown_outcome', 'timeout') GROUP BY job_id`,
  };
  const rows = await db.run<{ job_id: string; count: number }>(statement, []);
  return new Map(rows.map(({ job_id, count }) => [job_id, count]));
}

async function degraded({ db }: World): Promise<number> {
  const statement = {
    name: 'row_degraded',
    text: 'SELECT count(*)::int AS count FROM story WHERE degraded OR published_at IS NULL',
  };
  const [row] = await db.run<{ count: number }>(statement, []);
  return row?.count ?? 0;
}
