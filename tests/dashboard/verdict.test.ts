// The sentence on top of the operations page, and the times it names.
import { expect, test } from '@jest/globals';
import type { GateName } from '../../shared/call.ts';
import { countOf, duration, verdict } from '../../dashboard/verdict.ts';
import type { NamedGateView, ProviderView } from '../../ledger/queries-providers.ts';
import { emptyStats } from '../../ledger/queries-queues.ts';

const line = (queue: string, change: object = {}) => ({ ...emptyStats, queue, unknown: 0, ...change });

test('all is well until a job has waited longer than the target or too many have died', () => {
  expect(
    verdict([
      line('email', { waiting: 900, oldestWaitingSeconds: 120 }),
      line('reports', { deadLastDay: 99 }),
    ]),
  ).toEqual({
    good: true,
    sentence: 'All two queues within target.',
  });
  const lines = [
    line('email', { oldestWaitingSeconds: 130 }),
    line('voice-synthesis', { oldestWaitingSeconds: 840 }),
    line('reports', { deadLastDay: 212 }),
  ];
  expect(verdict(lines)).toEqual({
    good: false,
    sentence:
      'voice-synthesis is 14 min late, email is 2 min late, 212 jobs of reports died in the last day.',
  });
});

test('parked jobs are told with the reason and with what to do, though nothing is late', () => {
  const lines = [
    line('email', { parked: 3_001, unknown: 3_000 }),
    line('reports', { parked: 2 }),
    line('voice-synthesis'),
  ];
  expect(verdict(lines)).toEqual({
    good: false,
    sentence:
      '3000 jobs of email parked (no running build knows them: start one that does before they expire), ' +
      '1 job of email parked (the quarantine lane is full: see which jobs crash), ' +
      '2 jobs of reports parked (the quarantine lane is full: see which jobs crash).',
  });
});

test('a count that was cut off is told with a +', () => {
  const cut = line('email', {
    parked: 10_000,
    unknown: 10_000,
    blocked: 3,
    scheduled: 10_000,
    deadLastDay: 700,
  });
  const of = { ...cut, atLeast: ['parked', 'scheduled', 'deadLastDay'] as const };
  expect(countOf(of, 'waiting')).toBe('0');
  expect(countOf(of, 'scheduled', 'blocked')).toBe('10003+');
  expect(verdict([of]).sentence).toMatch(
    /^700\+ jobs of email died in the last day, 10000\+ jobs of email parked/,
  );
});

test('a time is told in the two units a person reads', () => {
  const told = [0, 59.4, 60, 3_599, 3_600, 11_100, 86_400, 187_200, -3].map(duration);
  expect(told).toEqual(['0 s', '59 s', '1 min', '59 min', '1 h', '3 h 5 min', '1 d', '2 d 4 h', '0 s']);
});

const since = new Date(Date.UTC(2026, 0, 2, 14, 5));
const gate = (name: GateName, reason: string | null): NamedGateView => ({
  name,
  state: reason === null ? 'open' : 'closed',
  reason,
  note: null,
  by: null,
  since,
  until: null,
  maxCalls: null,
});

/** The sentence about Gemini with its gates closed for these reasons. */
function geminiIs(text: string | null, pictures: string | null): string {
  const gates = [gate('gemini-text', text), gate('gemini-pictures', pictures)];
  return verdict([], [{ provider: 'gemini', gates } as unknown as ProviderView]).sentence;
}

test('a closed gate is told by its name, and by that of its provider where all are closed for one reason', () => {
  expect(geminiIs(null, 'quota_exhausted')).toBe(
    'gemini-pictures is not called since 2026-01-02 14:05 (its quota is used up: raise it).',
  );
  expect(geminiIs('auth', 'auth')).toBe(
    'gemini is not called since 2026-01-02 14:05 (its key is refused: change it).',
  );
  expect(geminiIs('unavailable', 'operator')).toBe(
    'gemini-text is not called since 2026-01-02 14:05 (it is away), ' +
      'gemini-pictures is not called since 2026-01-02 14:05 (an operator closed its gate).',
  );
  expect(geminiIs('rate_limited', 'unavailable')).toMatch(/^gemini-pictures is not called/);
  expect(geminiIs('rate_limited', 'rate_limited')).toContain('within target');
});
