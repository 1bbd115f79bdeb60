// How Gemini's answers and errors are read, beyond what the sandbox says.
import { expect, test } from '@jest/globals';
import { chargeOf, geminiTranslator, partsOf, readAnswer, refusalOf } from '../../providers/gemini-answer.ts';

const error = (status: number, body: unknown) => ({
  name: 'ApiError',
  status,
  message: JSON.stringify(body),
});
const diagnose = geminiTranslator({
  headers: () => new Headers({ 'retry-after': '3' }),
  misread: () => undefined,
});

test('a refusal that comes with status 200 is seen', () => {
  expect(refusalOf({ promptFeedback: { blockReason: 'JAILBREAK' } })?.code).toBe('content_blocked');
  expect(refusalOf({})?.code).toBe('bad_output');
  const codes = ['STOP', 'SAFETY', 'RECITATION', 'IMAGE_SAFETY', 'MAX_TOKENS', 'NO_IMAGE', 'NEW_REASON'].map(
    (finishReason) => refusalOf({ candidates: [{ finishReason }] })?.code,
  );
  expect(codes).toEqual([
    undefined,
    'content_blocked',
    'content_blocked',
    'content_blocked',
    'bad_output',
    'bad_output',
    'bad_output',
  ]);
});

test('thoughts are charged as output and never read as the answer', () => {
  const answer = {
    candidates: [{ content: { parts: [{ text: 'hm', thought: true }, { text: '{}' }] } }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 20, thoughtsTokenCount: 5 },
    modelVersion: 'gemini-3.8-flash-002',
  };
  expect(partsOf(answer)).toEqual([{ text: '{}' }]);
  expect(chargeOf(answer, 'asked')).toEqual({
    provider: 'gemini',
    model: 'gemini-3.8-flash-002',
    usage: [
      { unit: 'input_token', quantity: 10 },
      { unit: 'output_token', quantity: 25 },
    ],
  });
});

test('a spent budget is told from a rate limit, and a header says when to come back', () => {
  const billing = { error: { status: 'RESOURCE_EXHAUSTED', message: 'You exceeded your spending cap.' } };
  expect(diagnose(error(429, billing))?.code).toBe('quota_exhausted');
  expect(diagnose(error(403, { error: { message: 'Billing is disabled.' } }))?.code).toBe('quota_exhausted');
  expect(diagnose(error(429, {}))).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_000 });
  expect(diagnose(error(503, 'no JSON'))?.code).toBe('unavailable');
  expect(diagnose(new TypeError('fetch failed'))).toBeUndefined();
});

test('an answer of any shape is read without a stumble, and so is an error', () => {
  const shapes: unknown[] = [
    null,
    'text',
    [],
    { candidates: 'none' },
    { candidates: [null] },
    { candidates: [{ content: { parts: [null, 5] }, finishReason: 7 }], usageMetadata: 'much' },
    { candidates: [{ content: 'x' }], modelVersion: 'a\u0000b', responseId: 'x'.repeat(10_000) },
  ];
  for (const shape of shapes) {
    const answer = readAnswer(shape);
    expect(partsOf(answer).map((part) => part.text ?? '')).not.toContain('text');
    expect(['bad_output', undefined]).toContain(refusalOf(answer)?.code);
    expect(chargeOf(answer, 'asked')).toEqual({ provider: 'gemini', model: 'asked', usage: [] });
  }
  for (const details of ['x', [null], [{ violations: 'x' }], [{ violations: [null] }]])
    expect(diagnose(error(429, { error: { details } }))?.code).toBe('rate_limited');
});

test('of very many parts and candidates only the first are looked at', () => {
  const content = { parts: Array.from({ length: 1_000 }, () => ({ text: 'a' })) };
  const answer = readAnswer({ candidates: Array.from({ length: 1_000 }, () => ({ content })) });
  expect(answer.candidates).toHaveLength(1);
  expect(partsOf(answer)).toHaveLength(20);
});
