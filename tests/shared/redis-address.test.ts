import { expect, test } from '@jest/globals';
import { parseRedisUrl } from '../../shared/redis-address.ts';

test('an address names one server, the Sentinels and their master, or nodes of a cluster', () => {
  expect(parseRedisUrl('redis://cache')).toEqual({
    mode: 'single',
    hosts: [{ host: 'cache', port: 6379 }],
    tls: false,
    db: 0,
    master: 'mymaster',
  });
  expect(parseRedisUrl('rediss://ann:p%40ss%3Aword@[::1]:7000/3')).toMatchObject({
    hosts: [{ host: '::1', port: 7000 }],
    tls: true,
    username: 'ann',
    password: 'p@ss:word',
    db: 3,
  });
  expect(parseRedisUrl('redis+sentinel://:pw@a,b:27000/stories/2?sentinelPassword=s3')).toMatchObject({
    mode: 'sentinel',
    hosts: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 27000 },
    ],
    password: 'pw',
    sentinelPassword: 's3',
    master: 'stories',
    db: 2,
  });
  expect(parseRedisUrl('rediss+cluster://a:1,b:2,c')).toMatchObject({
    mode: 'cluster',
    tls: true,
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
      { host: 'c', port: 6379 },
    ],
  });
});

test('what cannot be meant is refused: two servers without a mode, a database of a cluster, a port or a host that is none', () => {
  const bad = [
    'redis://a,b',
    'redis+cluster://a/1',
    'redis://a:0',
    'redis://a:70000',
    'redis://',
    'redis+cluster://a,',
    'redis://a/x',
    'redis://u%zz@a',
    'redis+sentinel://a/m/1/2',
    'http://a',
    'cluster://a',
  ];
  expect(bad.filter((text) => parseRedisUrl(text) !== undefined)).toEqual([]);
});
