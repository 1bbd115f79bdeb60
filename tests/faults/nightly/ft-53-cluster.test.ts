// A master of a Redis Cluster, the one that holds all jobs, dies by kill -9 while they come in. The cluster gives its replica its
// place; the connections stay.
import { longLeases, loseMaster, loseWrites } from '../kit/failover.ts';
import { faultRow } from '../kit/row.ts';

const common = {
  ft: '53',
  tier: 'N',
  engines: ['redis'],
  redisGroup: 'cluster',
  timers: longLeases,
} as const;

faultRow(
  {
    ...common,
    name: 'a replica that takes the place of a killed master of a cluster costs nothing but time',
  },
  loseMaster,
);

faultRow(
  {
    ...common,
    name: 'what a killed master of a cluster never gave its replica is given back from the ledger',
  },
  loseWrites,
);
