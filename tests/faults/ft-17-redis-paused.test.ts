// Redis that stands still, with every connection open: BullMQ's locks run out under running jobs. What runs goes on, because
// its lease is the ledger's; what is delivered twice begins once.
import { pauseRedis, timers } from './kit/paused-redis.ts';
import { faultRow } from './kit/row.ts';

faultRow(
  {
    ft: '17',
    tier: 'P',
    engines: ['redis'],
    timers,
    name: 'Redis that stands still for 8 s loses and doubles nothing',
  },
  (world) => pauseRedis(world, 8_000),
);
