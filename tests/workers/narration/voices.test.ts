// When another voice takes over: at once where waiting cannot help, late where it may, never against a refusal or a budget.
import { expect, test } from '@jest/globals';
import { Failure, type FailureCode } from '../../../shared/errors.ts';
import type { Job } from '../../../workers/define.ts';
import { gaveOut } from '../../../workers/narration/voices.ts';

type Start = Pick<Job, 'attempt' | 'lastTry' | 'step'>;
type Starts = (options?: { lastTry?: boolean }) => Start;

const by = (code: FailureCode, provider?: string): Failure =>
  new Failure(code, 'x', provider === undefined ? {} : { provider });

/** The starts of one job, one after the other: they share what its steps remember. */
function starts(): Starts {
  const remembered = new Map<string, unknown>();
  let attempt = 0;
  const step = async (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    if (!remembered.has(name)) remembered.set(name, await call());
    return remembered.get(name);
  };
  return ({ lastTry = false } = {}) => {
    attempt += 1;
    return { attempt, lastTry, step: step as Job['step'] };
  };
}

/** What is decided at so many starts that all fail in this way. */
async function decisions(
  next: Starts,
  thrown: unknown,
  times: number,
  provider: 'elevenlabs' | 'deepgram' = 'elevenlabs',
): Promise<boolean[]> {
  const all: boolean[] = [];
  for (let time = 0; time < times; time += 1) all.push(await gaveOut(thrown, provider, next()));
  return all;
}

test.each<[FailureCode, early: boolean, last: boolean, late: boolean]>([
  ['bad_input', true, true, true],
  ['content_blocked', false, false, false],
  ['cancelled', false, false, false],
  ['rate_limited', false, true, false],
  ['bad_output', false, true, false],
  ['unavailable', false, true, true],
  ['timeout', false, true, true],
  ['auth', false, true, true],
  ['quota_exhausted', false, true, true],
  ['unknown_outcome', false, true, true],
])('after %s: at once %p, at the last try %p, at the fourth start %p', async (code, early, last, late) => {
  const thrown = by(code, 'elevenlabs');
  expect(await decisions(starts(), thrown, 4)).toEqual([early, early, early, late]);
  expect(await gaveOut(thrown, 'elevenlabs', starts()({ lastTry: true }))).toBe(last);
});

test('an ear that is busy at every start is given out after three of them: the story does not wait a day for it', async () => {
  expect(await decisions(starts(), by('rate_limited', 'deepgram'), 4, 'deepgram')).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test('starts that found the voice busy, were interrupted or waited for somebody else use up no patience', async () => {
  const next = starts();
  const others = [by('rate_limited', 'elevenlabs'), by('unavailable', 'cloudinary'), by('quota_exhausted')];
  for (const thrown of others) expect(await decisions(next, thrown, 4)).toEqual([false, false, false, false]);
  for (let interrupted = 0; interrupted < 4; interrupted += 1) next();
  const outage = by('unavailable', 'elevenlabs');
  expect(await decisions(next, outage, 4)).toEqual([false, false, false, true]);
});

test('what somebody else failed at, a budget, and an error that is no failure change no voice', async () => {
  const next = starts();
  await decisions(next, by('unavailable', 'elevenlabs'), 4);
  const others = [by('unavailable', 'cloudinary'), by('quota_exhausted'), new Error('x'), undefined];
  for (const thrown of others) expect(await decisions(next, thrown, 1)).toEqual([false]);
});
