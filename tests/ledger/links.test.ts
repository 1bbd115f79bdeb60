import { expect, test } from '@jest/globals';
import { signLink, verifyLink } from '../../ledger/links.ts';

const id = '0199f3a0-0000-7000-8000-000000000001';
const secret = 'a secret of at least thirty-two characters';
const now = Date.parse('2026-11-21T08:00:00Z');
const url = new URL(signLink(secret, { id, expiresAt: new Date(now + 60_000) }), 'http://api.test');
const given = {
  expires: url.searchParams.get('expires') ?? '',
  signature: url.searchParams.get('signature') ?? '',
};

test('a link opens its artifact until it expires', () => {
  expect(url.pathname).toBe(`/v1/artifacts/${id}`);
  expect(verifyLink(secret, id, given, now)).toBe(true);
  expect(verifyLink(secret, id.toUpperCase(), given, now)).toBe(true);
  expect(verifyLink(secret, id, given, now + 61_000)).toBe(false);
});

test.each([
  ['another artifact', id.replace('1', '2'), given],
  ['a later expiry', id, { ...given, expires: String(Number(given.expires) + 60) }],
  ['a cut signature', id, { ...given, signature: given.signature.slice(0, -1) }],
  ['no signature', id, { ...given, signature: '' }],
  ['an expiry that is no number', id, { ...given, expires: `${given.expires}e9` }],
])('a link does not open %s', (_, artifact, changed) => {
  expect(verifyLink(secret, artifact, changed, now)).toBe(false);
});

test('a link made with another secret does not open', () => {
  expect(verifyLink(`${secret}.`, id, given, now)).toBe(false);
});
