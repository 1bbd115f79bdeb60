// A few slots for reads that can be slow, each with a deadline: one operator's large page must not stop the others'.

/** Runs `work` when a slot is free; rejects with `late()` when waiting and running together take longer than the deadline. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

export function createSlots(options: { atOnce: number; deadlineMs: number; late: () => Error }): Slots {
  let free = options.atOnce;
  const waiting: (() => void)[] = [];

  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return async (work) => {
    let gaveUp = false;
    const turn = new Promise<void>((resolve) => {
      if (free === 0) {
        waiting.push(resolve);
        return;
      }
      free -= 1;
      resolve();
    });
    // The slot is held until the work has really ended, also when nobody waits for it any more.
    const run = turn.then(async () => {
      try {
        if (gaveUp) throw options.late();
        return await work();
      } finally {
        release();
      }
    });
    run.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        gaveUp = true;
        reject(options.late());
      }, options.deadlineMs);
    });
    return Promise.race([run, late]).finally(() => clearTimeout(timer));
  };
}
