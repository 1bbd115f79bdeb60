// A master behind Sentinels dies by kill -9 while jobs come in, and one Sentinel stands still with it. The others give the replica
// its place; work processes ask them and go on.
import { longLeases, loseMaster, loseWrites } from '../kit/failover.ts';
import { faultRow } from '../kit/row.ts';

const common = {
  ft: '52',
  tier: 'N',
  engines: ['redis'],
  redisGroup: 'sentinel',
  timers: longLeases,
} as const;

faultRow(
  {
    ...common,
    name: 'a replica that the Sentinels put in the place of a killed master costs nothing but time',
  },
  loseMaster,
);

faultRow(
  {
    ...common,
    name: 'what a killed master behind Sentinels never gave its replica is given back from the ledger',
  },
  loseWrites,
);
