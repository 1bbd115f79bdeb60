// When another voice takes over: at once where waiting cannot help, late where it may, never against a refusal or a budget.
import { expect, test } from '@jest/globals';
import { Failure, type FailureCode } from '../../../shared/errors.ts';
import { gaveOut } from '../../../workers/narration/voices.ts';

const by = (code: FailureCode, provider?: string): Failure =>
  new Failure(code, 'x', provider === undefined ? {} : { provider });
const early = { attempt: 1, lastTry: false };
const last = { attempt: 3, lastTry: true };
const late = { attempt: 4, lastTry: false };

test.each<[FailureCode, early: boolean, last: boolean, late: boolean]>([
  ['bad_input', true, true, true],
  ['content_blocked', false, false, false],
  ['cancelled', false, false, false],
  ['unavailable', false, true, true],
  ['auth', false, true, true],
  ['quota_exhausted', false, true, true],
  ['unknown_outcome', false, true, true],
])('after %s: at once %p, at the last try %p, after long waiting %p', (code, ...wanted) => {
  expect([early, last, late].map((job) => gaveOut(by(code, 'elevenlabs'), 'elevenlabs', job))).toEqual(
    wanted,
  );
});

test('what somebody else failed at, a budget, and an error that is no failure change no voice', () => {
  const others = [by('unavailable', 'cloudinary'), by('quota_exhausted'), new Error('x'), undefined];
  expect(others.map((thrown) => gaveOut(thrown, 'elevenlabs', late))).toEqual([false, false, false, false]);
});
