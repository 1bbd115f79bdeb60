// Which pictures may be processed.
import { expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { refusals } from './refusals.ts';

test('a picture is named by ids and a page of the story, never by an address', () => {
  const ids = { storyId: newId(), artifactId: newId() };
  expect(refusals('process-image', { ...ids, page: 0 })).toEqual([]);
  expect(refusals('process-image', { ...ids, page: 13 })).toEqual(['/payload/page validation_failed']);
  expect(refusals('process-image', { ...ids, page: 1, url: 'file:///etc/passwd' })).toEqual([
    '/payload/url unknown_field',
  ]);
});
