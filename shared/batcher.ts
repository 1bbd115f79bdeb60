// Adaptive group commit: while one batch is being committed the next one gathers. An idle batcher adds no wait.
// `run` settles each item on its own (one bad row must not fail its neighbours); when it throws, all of the batch fail.

export type Settled<Output> = { value: Output } | { error: Error };

export interface Batcher<Input, Output> {
  add: (item: Input) => Promise<Output>;
  /** Resolves when nothing is gathered or in flight. */
  idle: () => Promise<void>;
}

interface Waiting<Input, Output> {
  item: Input;
  resolve: (value: Output) => void;
  reject: (error: unknown) => void;
}

export interface BatcherOptions<Input, Output> {
  /** The most items in one batch. */
  max: number;
  run: (items: readonly Input[]) => Promise<readonly Settled<Output>[]>;
}

export function createBatcher<Input, Output>(options: BatcherOptions<Input, Output>): Batcher<Input, Output> {
  let gathered: Waiting<Input, Output>[] = [];
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    // One turn of the event loop: everything that arrived in the same turn shares the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (gathered.length > 0) {
      const batch = gathered.splice(0, options.max);
      await settle(batch);
    }
    draining = undefined;
  }

  async function settle(batch: Waiting<Input, Output>[]): Promise<void> {
    try {
      const results = await options.run(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        const result = results[index];
        if (result === undefined)
          waiting.reject(new Error('batch failed: an item has no result; this is a bug'));
        else if ('error' in result) waiting.reject(result.error);
        else waiting.resolve(result.value);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }

  return {
    add: (item) =>
      new Promise<Output>((resolve, reject) => {
        gathered.push({ item, resolve, reject });
        draining ??= drain();
      }),
    async idle() {
      while (draining !== undefined) await draining;
    },
  };
}
