// Covers: shared/config.ts
import { expect, test } from '@jest/globals';
import { isChosen, loadConfig } from '../../shared/config.ts';

test('what Kubernetes tells of the services beside a part is no setting, and a mistyped one still is told', () => {
  const services = {
    STORYTIME_API_PORT: 'tcp://10.96.0.12:4000',
    STORYTIME_API_SERVICE_HOST: '10.96.0.12',
    STORYTIME_API_SERVICE_PORT: '4000',
    STORYTIME_API_SERVICE_PORT_HTTP: '4000',
    STORYTIME_API_PORT_4000_TCP: 'tcp://10.96.0.12:4000',
    STORYTIME_API_PORT_4000_TCP_PROTO: 'tcp',
    STORYTIME_API_PORT_4000_TCP_ADDR: '10.96.0.12',
    STORYTIME_REDIS_PORT: 'tcp://10.96.0.13:6379',
  };
  expect(loadConfig(services)).toEqual(loadConfig({}));
  expect(isChosen(services, 'STORYTIME_API_PORT')).toBe(false);
  expect(() => loadConfig({ REDIS_URL: 'tcp://redis:6379' })).toThrow(); // is meant, and wrong
  const mistyped = { ...services, STORYTIME_API_PROT: '4000' };
  expect(() => loadConfig(mistyped)).toThrow(
    expect.objectContaining({
      problems: ['STORYTIME_API_PROT is not a setting; did you mean STORYTIME_API_PORT?'],
    }),
  );
});
