// Another date for the code under test, while timers and everything else go on as they are.
import { jest } from '@jest/globals';

const others = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** Until `jest.useRealTimers()`. */
export function pretendDate(now: Date | number): void {
  jest.useFakeTimers({ now, doNotFake: [...others] });
}
