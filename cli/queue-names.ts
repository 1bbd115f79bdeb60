// The queues that `work --queues` names, checked against those that exist.
import type { Registry } from '../queues/registry.ts';
import { nearest } from '../shared/text.ts';
import { CliError } from './exit.ts';

/** Throws for a name that is no queue, and says which was probably meant. */
export function queueNames(
  wanted: readonly string[] | undefined,
  registry: Registry,
): readonly string[] | undefined {
  const known = registry.queues.map(({ name }) => name);
  for (const name of wanted ?? []) {
    if (known.includes(name)) continue;
    const guess = nearest(name, known);
    const todo = guess === undefined ? `there are ${known.join(', ')}` : `did you mean ${guess}?`;
    throw new CliError('wrongUse', `there is no queue ${name}; ${todo}`);
  }
  return wanted;
}
