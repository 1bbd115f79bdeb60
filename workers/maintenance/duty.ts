// A duty: something that one process at a time looks after. Two at once do no harm.

export interface Duty {
  name: string;
  everyMs: number;
  /** It takes silence for death. */
  judges?: boolean;
  /** Does one round; returns how many rows it changed. */
  run: () => Promise<number>;
}
