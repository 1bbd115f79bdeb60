// FT-17 with a pause that is three leases long and longer than any time-out of a connection to Redis.
import { pauseRedis, timers } from '../kit/paused-redis.ts';
import { faultRow } from '../kit/row.ts';

faultRow(
  {
    ft: '17',
    tier: 'N',
    engines: ['redis'],
    timers,
    name: 'Redis that stands still for 30 s loses and doubles nothing',
  },
  (world) => pauseRedis(world, 30_000),
);
