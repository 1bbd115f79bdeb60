// What a mail server's answer means for the mail.
import { expect, test } from '@jest/globals';
import { diagnoseSmtp } from '../../providers/smtp-errors.ts';

const error = (fields: object) => Object.assign(new Error('to mia@example.test'), fields);

test('temporary, permanent, key and quota answers are told apart', () => {
  const cases: [object, string | undefined][] = [
    [{ code: 'EMESSAGE', responseCode: 452, permanent: false }, 'rate_limited'],
    [{ code: 'EENVELOPE', responseCode: 450, permanent: false }, 'rate_limited'],
    [{ code: 'EENVELOPE', responseCode: 550, permanent: true }, 'bad_input'],
    [
      { code: 'EENVELOPE', responseCode: 550, response: '550 5.4.5 Daily user sending limit' },
      'quota_exhausted',
    ],
    [{ code: 'EAUTH', responseCode: 535, permanent: true }, 'auth'],
    [{ code: 'EAUTH', responseCode: 454, permanent: false }, 'unavailable'],
    [{ code: 'EPROTOCOL', responseCode: 421 }, 'unavailable'],
    [{ code: 'EPROTOCOL', responseCode: 554 }, 'unavailable'],
    [{ code: 'ETLS', responseCode: 502 }, 'unavailable'],
    [{ code: 'ESOCKET' }, 'unavailable'],
    [{ code: 'ECONNECTION' }, 'unavailable'],
    [{ code: 'EENVELOPE' }, 'bad_input'],
    [{ code: 'EFILEACCESS' }, 'bad_input'],
    [{ code: 'NEW' }, undefined],
    [{}, undefined],
  ];
  expect(cases.map(([fields]) => diagnoseSmtp(error(fields), false)?.code)).toEqual(
    cases.map(([, code]) => code),
  );
});

test('a session that breaks after the message began leaves its fate unknown', () => {
  for (const code of ['ESOCKET', 'ECONNECTION', 'ETIMEDOUT']) {
    expect(diagnoseSmtp(error({ code }), true)?.code).toBe('unknown_outcome');
  }
  expect(diagnoseSmtp(error({ code: 'ESTREAM' }), true)?.code).toBe('bad_input');
  expect(diagnoseSmtp(error({ code: 'EMESSAGE', responseCode: 554 }), true)?.code).toBe('bad_input');
});

const replied = (response: string) =>
  diagnoseSmtp(error({ code: 'EENVELOPE', responseCode: Number(response.slice(0, 3)), response }), false);

test('a server that takes no more mail today is understood, whichever way it says so', () => {
  for (const response of [
    '550-5.4.5 Daily user sending limit exceeded. For more information on sending\n550 5.4.5 limits go to',
    '550 5.4.5 too much for today',
    '454 Throttling failure: Daily message quota exceeded.',
    '454 4.7.0 Daily sending limit exceeded',
    "550 5.7.233 - Your message can't be sent because your tenant has exceeded its daily limit for sending",
    "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
    '452 You have exceeded your daily quota',
  ])
    expect([response, replied(response)?.code]).toEqual([response, 'quota_exhausted']);
});

test('no address, subject or server of a recipient can make a reply look like a used-up quota', () => {
  const cases: [string, string][] = [
    ['550 5.1.1 <daily@example.com>: Recipient address rejected', 'bad_input'],
    ['450 4.2.0 <x@dailymail.example>: greylisted', 'rate_limited'],
    ['550 daily-limit@example.com: user unknown', 'bad_input'],
    ['550 5.1.1 daily.sending.limit@5.4.5.example is not here', 'bad_input'],
    ['554 5.7.1 Listed: [5.4.5.7]', 'bad_input'],
    ['554 5.7.1 Subject "Daily sending limit exceeded" refused', 'bad_input'],
    ['554 5.7.1 Refused: Daily sending limit exceeded is a phrase of spam', 'bad_input'],
    ['450 4.1.1 <a@b.example>: unverified: host mx said: 550 5.4.5 Daily limit exceeded', 'rate_limited'],
    ["450 4.2.1 The recipient's daily limit is reached", 'rate_limited'],
    ['421 4.4.5 Server busy, try again later', 'unavailable'],
  ];
  for (const [response, code] of cases) expect([response, replied(response)?.code]).toEqual([response, code]);
});
