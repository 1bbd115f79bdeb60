// What Redis says about its memory and its file, and what follows: above 85 % nothing more is added, above 90 % nothing is taken.
// In this order, because a job that ends makes room and one that is added takes it (docs/decisions). A Redis that is full
// refuses to record that a job has ended; the ledger has the outcome by then, so what is lost is only time.
import type { Store } from './connect.ts';
import { prefix, type EnginePressure, type EngineReason } from './types.ts';

export interface RedisFacts {
  usedBytes: number;
  /** 0: no limit but the machine's. */
  limitBytes: number;
  /** What is thrown away when memory is short; only `noeviction` throws no job away. */
  evictionPolicy: string;
  appendOnly: boolean;
  /** False: the last snapshot failed, and Redis refuses writes if it was told to stop then. */
  lastSaveOk: boolean;
}

/** Run where the jobs are: in a cluster, another node would tell of its own memory. A Redis that hides it has no limit. */
const script = `
  local function ask(section)
    local answer = redis.pcall('INFO', section)
    return type(answer) == 'string' and answer or ''
  end
  return ask('memory') .. ask('persistence')`;

/** Undefined on PostgreSQL, whose room is the ledger's too. */
export async function readRedisFacts(store: Store): Promise<RedisFacts | undefined> {
  if (store.kind !== 'redis') return undefined;
  const info = String(await store.client.eval(script, 1, `${prefix}:probe`));
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return {
    usedBytes: Number(field('used_memory')),
    limitBytes: Number(field('maxmemory')),
    evictionPolicy: field('maxmemory_policy'),
    appendOnly: field('aof_enabled') === '1',
    lastSaveOk: field('rdb_last_bgsave_status') !== 'err' && field('aof_last_write_status') !== 'err',
  };
}

const limits = { adds: 0.85, takes: 0.9 };
/** Once held, until it is this much below: at the very limit it would change with every job. */
const slack = 0.05;

/** The pressure that follows one before it. */
export function pressureOf(facts: RedisFacts | undefined, before: EnginePressure): EnginePressure {
  if (facts === undefined || facts.limitBytes === 0)
    return { usedShare: 0, holdsAdds: false, holdsTakes: false };
  const usedShare = facts.usedBytes / facts.limitBytes;
  const above = (limit: number, held: boolean): boolean => usedShare >= (held ? limit - slack : limit);
  return {
    usedShare,
    holdsAdds: above(limits.adds, before.holdsAdds),
    holdsTakes: above(limits.takes, before.holdsTakes),
  };
}

export interface PressureGauge {
  now: () => EnginePressure;
  onChange: (listener: (pressure: EnginePressure) => void) => void;
  look: (store: Store) => Promise<void>;
}

export function openPressure(): PressureGauge {
  let now: EnginePressure = { usedShare: 0, holdsAdds: false, holdsTakes: false };
  const listeners: ((pressure: EnginePressure) => void)[] = [];
  return {
    now: () => now,
    onChange: (listener) => void listeners.push(listener),
    async look(store) {
      const before = now;
      now = pressureOf(await readRedisFacts(store), before);
      if (now.holdsAdds === before.holdsAdds && now.holdsTakes === before.holdsTakes) return;
      for (const listener of listeners) listener(now);
    },
  };
}

const refusals: Readonly<Record<string, EngineReason>> = {
  MISCONF: 'not_persisting',
  OOM: 'memory_full',
  READONLY: 'read_only',
  NOAUTH: 'not_allowed',
  NOPERM: 'not_allowed',
  WRONGPASS: 'not_allowed',
};

/** Why a probe of the engine failed, by the first word of Redis's answer. */
export function reasonOf(message: string): EngineReason {
  const [, word = ''] = /(?:^|: )([A-Z]+) /.exec(message) ?? [];
  return refusals[word] ?? 'away';
}
