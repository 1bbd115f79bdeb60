// Who has the jobs of a cluster. When a replica takes over, the client as a whole was never away and says nothing; but the new
// server may have less than the old one had. Seen by the map of slots, which the client draws again every few seconds.
import type { Cluster } from 'ioredis';

/** Of `prefix` in types.ts: all keys are in it. What a cluster answers to CLUSTER KEYSLOT. */
export const slotOfJobs = 14112;

/** Tells the listener each time another server than before has the slot. */
export function followOwner(cluster: Cluster, listener: () => void): void {
  let owner = cluster.slots[slotOfJobs]?.[0];
  cluster.on('refresh', () => {
    const next = cluster.slots[slotOfJobs]?.[0];
    if (next === undefined || next === owner) return;
    owner = next;
    listener();
  });
}
