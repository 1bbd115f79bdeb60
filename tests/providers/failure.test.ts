// Failures carry vendor tokens and never a vendor's prose.
import { expect, test } from '@jest/globals';
import { Failure } from '../../shared/errors.ts';
import { behindBreaker, codeOfStatus, parseRetryAfter, toFailure, token } from '../../providers/failure.ts';

const call = { provider: 'gemini', operation: 'write-story' };

test('a message says what failed, why and what to do', () => {
  const failed = toFailure(call, { code: 'auth', why: 'API_KEY_INVALID', status: 400, requestId: 'r-1' });
  expect(failed.message).toBe(
    'gemini write-story failed: 400 API_KEY_INVALID; check the key of the provider',
  );
  expect(failed).toMatchObject({ code: 'auth', provider: 'gemini', status: 400, requestId: 'r-1' });
});

test('a vendor token is kept and prose is dropped', () => {
  expect(token('RESOURCE_EXHAUSTED')).toBe('RESOURCE_EXHAUSTED');
  for (const prose of ['the story of Mia was refused', '', 'x'.repeat(65), 7, undefined]) {
    expect(token(prose)).toBe('no reason given');
  }
});

test('every status of HTTP has a code of ours', () => {
  const codes = [304, 307, 400, 401, 402, 403, 404, 408, 422, 429, 500, 503, 599, 999].map(codeOfStatus);
  expect(codes.join(' ')).toBe(
    'unavailable unavailable bad_input auth quota_exhausted auth bad_input unavailable bad_input rate_limited unavailable unavailable unavailable unavailable',
  );
});

test('Retry-After is read as seconds or as a date, and nonsense is ignored', () => {
  const now = Date.parse('2026-11-21T00:00:00Z');
  const headers = [
    '17',
    '0.5',
    'Sat, 21 Nov 2026 00:00:30 GMT',
    'Fri, 20 Nov 2026 00:00:00 GMT',
    'soon',
    '',
    null,
  ];
  expect(headers.map((header) => parseRetryAfter(header, now))).toEqual([
    17_000,
    500,
    30_000,
    0,
    undefined,
    undefined,
    undefined,
  ]);
});

test('a failure behind the breaker keeps its facts and says when to come back', () => {
  const marked = behindBreaker(new Failure('timeout', 'a: b; c', { provider: 'gemini', status: 504 }), 9_000);
  expect(marked).toMatchObject({ code: 'timeout', breakerOpen: true, retryAfterMs: 9_000, status: 504 });
});
