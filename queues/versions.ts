// Old and new builds side by side: which jobs a build can run, and how an old payload becomes one of today. Pure.
import type { RegisteredKind, Registry } from './registry.ts';

/** The versions a build can run, newest first: its own, and older ones from which an unbroken chain leads up to it. */
export function runnableVersions({ version, definition }: RegisteredKind): number[] {
  const versions = [version];
  for (let from = version - 1; definition.upgrade?.[from] !== undefined; from -= 1) versions.push(from);
  return versions;
}

/** The payload as the kind has it now. Throws what an upgrade throws; call it for a runnable version only. */
export function upgradePayload(kind: RegisteredKind, version: number, payload: unknown): unknown {
  let current = payload;
  for (let from = version; from < kind.version; from += 1)
    current = kind.definition.upgrade?.[from]?.(current);
  return current;
}

/** `kind@version/queue` of everything that a process with these queues can run, former names included. */
export function knowledge(registry: Registry, queues: readonly string[]): string[] {
  return [...registry.kinds.values()]
    .filter(({ queue }) => queues.includes(queue))
    .flatMap((kind) =>
      [kind.kind, ...(kind.definition.aliases ?? [])].flatMap((name) =>
        runnableVersions(kind).map((version) => `${name}@${version}/${kind.queue}`),
      ),
    );
}
