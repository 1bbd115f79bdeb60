// Which narrations may be asked for.
import { expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { refusals } from './refusals.ts';

test('a narration names a story by its id and a voice by letters and digits', () => {
  const storyId = newId();
  expect(refusals('narrate-story', { storyId, voiceId: '21m00Tcm4TlvDq8ikWAM' })).toEqual([]);
  expect(refusals('narrate-story', { storyId: '../1', voiceId: '../v1/user' })).toEqual([
    '/payload/storyId validation_failed',
    '/payload/voiceId validation_failed',
  ]);
  expect(refusals('narrate-story', { storyId, text: 'read this' })).toEqual(['/payload/text unknown_field']);
});
