// The quarantine lane, as data: when a job goes through it, and how far. A job that was in a process that died twice runs
// there alone, in a process of its own, so that a job that kills its process kills no other.

/** The engine's queue of the lane. No queue of the registry may have this name; no board and no list shows it. */
export const quarantineQueue = 'quarantine';

/** Crashes after which a job runs in the lane only. */
export const crashesToLane = 2;
/** Crashes after which a job dies, though nobody saw how its process in the lane ended. */
export const crashesToDeath = 4;
/** Jobs in the lane at most: one runs at a time, so what comes on top is parked until there is room. */
export const laneRoom = 200;
