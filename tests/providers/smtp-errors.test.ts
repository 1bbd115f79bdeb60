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
