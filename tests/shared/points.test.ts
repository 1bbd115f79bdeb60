// Points are seen by whoever listens, at once, and cost nothing to whoever does not.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from '@jest/globals';
import { reach } from '../../shared/points.ts';

test('a moment is published before reach returns, and to nobody after the listener has left', () => {
  const seen: unknown[] = [];
  const listener = (moment: unknown): void => void seen.push(moment);
  subscribe('storytime:step.answered', listener);
  reach('step.answered', 'job-1', 'play', 'write');
  expect(seen).toEqual([{ jobId: 'job-1', kind: 'play', step: 'write' }]);
  reach('attempt.begun', 'job-1', 'play');
  unsubscribe('storytime:step.answered', listener);
  reach('step.answered', 'job-1', 'play', 'write');
  expect(seen).toHaveLength(1);
});
