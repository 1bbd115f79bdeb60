// One side of a comparison: a child process prepares, warms up, and measures one round, or serves while it is measured.

export interface SideContext {
  databaseUrl: string;
  redisUrl: string;
  /** How many jobs are measured. */
  jobs: number;
  /** How many run first, unmeasured, so that both sides meet the machine with compiled code. */
  warmUp: number;
  inFlight: number;
}

export interface SideResult {
  /** Jobs or requests a second. */
  rate: number;
  /** CPU seconds of this process per 1,000 jobs. */
  cpuS: number;
}

/** Runs its round by itself. */
export type Side = (context: SideContext) => Promise<SideResult>;

/** Answers HTTP until it is closed; the load comes from the parent process. */
export type Server = (
  context: SideContext,
) => Promise<{ url: string; path: string; headers: Record<string, string>; body: string }>;

/** The payload of every side: about 80 bytes. */
export const payload = { childName: 'Ada', age: 6, theme: 'a dragon who is afraid of the dark', pages: 6 };
