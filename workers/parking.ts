// Whether this build may run a job, and what is said when it may not: a job of a newer build is parked, never failed.
import type { Begun } from '../ledger/begin.ts';
import type { Verdict } from '../ledger/finish.ts';
import type { RegisteredKind } from '../queues/registry.ts';
import { runnableVersions } from '../queues/versions.ts';
import type { Handler } from './define.ts';

/** What runs a job, or why nothing here can. */
export type Runnable = { kind: RegisteredKind; handler: Handler } | { parked: Verdict };

export function runnable(
  begun: Begun,
  kind: RegisteredKind | undefined,
  handlers: Readonly<Record<string, Handler>>,
): Runnable {
  const handler = kind === undefined ? undefined : handlers[kind.kind];
  if (kind === undefined || handler === undefined)
    return parked(`the kind ${begun.kind} is not known in queue ${begun.queue}`);
  const versions = runnableVersions(kind);
  if (versions.includes(begun.payloadVersion)) return { kind, handler };
  const known = `${versions.at(-1)} to ${kind.version}`;
  return parked(`${begun.kind} has payload version ${begun.payloadVersion}, known are ${known}`);
}

function parked(why: string): Runnable {
  const reason = `parked: ${why}; it runs when a process of a build that knows it is there`;
  return { parked: { outcome: 'interrupted', parked: reason } };
}
