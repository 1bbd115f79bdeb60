// Loads an SDK at its first use: together they take seconds and 150 MB, and a process that calls no vendor needs none.
import { nameOf, toFailure } from './failure.ts';

/** One load for all callers. A load that fails is a Failure like any other, and the next call tries again. */
export function lazily<T>(provider: string, load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  const attempt = async (): Promise<T> => {
    try {
      return await load();
    } catch (error) {
      loading = undefined;
      const why = `its SDK could not be loaded (${nameOf(error)})`;
      const failure = toFailure({ provider, operation: 'load' }, { code: 'bug', why });
      failure.cause = error;
      throw failure;
    }
  };
  return () => (loading ??= attempt());
}
