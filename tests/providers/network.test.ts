// Which connection errors are safe to repeat, in the shapes in which Node and the SDKs throw them.
import { expect, test } from '@jest/globals';
import { diagnoseNetwork } from '../../providers/network.ts';

const coded = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });

test('an error before the first byte is unavailable, paid or not', () => {
  for (const error of [
    coded('ECONNREFUSED'),
    new TypeError('fetch failed', { cause: coded('ENOTFOUND') }),
    new TypeError('fetch failed', { cause: coded('UND_ERR_CONNECT_TIMEOUT') }),
    new Error('sdk', { cause: new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }) }),
    new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]),
    coded('ETIMEDOUT', { syscall: 'connect' }),
    coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    new TypeError('fetch failed', { cause: coded('CERT_NOT_YET_VALID') }),
    coded('EMFILE', { syscall: 'connect' }),
    coded('EADDRNOTAVAIL', { syscall: 'connect' }),
  ]) {
    expect(diagnoseNetwork(error, true)).toMatchObject({ code: 'unavailable' });
  }
});

test('an error after the request went out leaves a paid call unknown and another one unavailable', () => {
  for (const error of [
    coded('ECONNRESET'),
    new TypeError('terminated', { cause: coded('UND_ERR_SOCKET') }),
    new TypeError('terminated'),
    new Error('sdk', { cause: new TypeError('fetch failed', { cause: coded('UND_ERR_HEADERS_TIMEOUT') }) }),
    coded('ETIMEDOUT', { syscall: 'read' }),
    coded('HPE_HEADER_OVERFLOW'),
    coded('HPE_INVALID_CONSTANT'),
    coded('EPROTO', { syscall: 'write' }),
    new TypeError('fetch failed', { cause: coded('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR') }),
    { message: 'socket hang up', code: 'ECONNRESET' },
  ]) {
    expect(diagnoseNetwork(error, true)?.code).toBe('unknown_outcome');
    expect(diagnoseNetwork(error, false)?.code).toBe('unavailable');
  }
});

test('an error that is no connection error is not diagnosed', () => {
  const circular = new Error('a');
  circular.cause = circular;
  for (const error of [circular, new TypeError('x is not a function'), 'text', undefined]) {
    expect(diagnoseNetwork(error, true)).toBeUndefined();
  }
});
