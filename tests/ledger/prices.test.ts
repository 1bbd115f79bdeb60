// The prices that the migrations bring: what a vendor's own quantities come to.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Charge } from '../../shared/call.ts';
import { commitLostCharges } from '../../ledger/steps.ts';
import { pretendDate } from '../support/date.ts';
import { openLives, type Lives } from './lives.ts';
import { query } from './world.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await openLives();
});
afterAll(() => lives.close());

/** Millionths of a dollar. */
async function priceOf(
  provider: Charge['provider'],
  model: string,
  usage: Readonly<Record<string, number>>,
): Promise<number> {
  const begun = await lives.start();
  const quantities = Object.entries(usage).map(([unit, quantity]) => ({ unit, quantity }));
  await commitLostCharges(lives.db, begun, 'step', [{ provider, model, usage: quantities }]);
  const rows = await query<{ price: number }>(
    lives,
    'SELECT micro_usd::int AS price FROM charge WHERE job_id = $1',
    [begun.jobId],
  );
  return rows[0]?.price ?? 0;
}

test('a credit of ElevenLabs costs the same with every model: flash is cheaper by taking half as many', async () => {
  expect(await priceOf('elevenlabs', 'eleven_multilingual_v2', { character: 1_000 })).toBe(100_000);
  for (const model of ['eleven_flash_v2_5', 'eleven_turbo_v2_5'])
    expect(await priceOf('elevenlabs', model, { character: 500 })).toBe(50_000);
});

test('a picture is priced by the image and not by its tokens, whichever model drew it', async () => {
  const drawn = { output_token: 1_120, image: 1 };
  expect(await priceOf('gemini', 'gemini-3.1-flash-image', drawn)).toBe(67_000);
  expect(await priceOf('gemini', 'gemini-3-pro-image', drawn)).toBe(134_000);
});

test('a price is in force by the clock of the database, whatever the clock of the process says', async () => {
  const model = 'gemini-of-tomorrow';
  await query(
    lives,
    `INSERT INTO price (provider, model, unit, valid_from, micro_usd, source) VALUES
      ('gemini', $1, 'image', clock_timestamp() - interval '1 hour', 10, 'test'),
      ('gemini', $1, 'image', clock_timestamp() + interval '1 hour', 99, 'test')`,
    [model],
  );
  pretendDate(Date.now() + 2 * 3_600_000);
  try {
    expect(await priceOf('gemini', model, { image: 1 })).toBe(10);
  } finally {
    jest.useRealTimers();
  }
});
