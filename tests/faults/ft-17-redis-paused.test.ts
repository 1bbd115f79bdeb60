// Redis that stands still, with every connection open, and goes on before any lock of BullMQ has run out. What runs goes on,
// because its lease is the ledger's; callers do not notice. The nightly row is the one whose jobs are delivered twice.
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
