// What `storytime doctor` says about Redis: whether it may throw jobs away, what a restart would cost, how much room it has.
import type { RedisFacts } from '../engine/pressure.ts';
import type { Verdict } from './doctor-checks.ts';

export function redisVerdicts(facts: RedisFacts, isProduction: boolean): Verdict[] {
  return [eviction(facts, isProduction), persistence(facts), memory(facts)];
}

function eviction({ evictionPolicy }: RedisFacts, isProduction: boolean): Verdict {
  const check = 'redis eviction';
  if (evictionPolicy === 'noeviction') return { check, status: 'ok', detail: evictionPolicy };
  if (evictionPolicy === '')
    return { check, status: 'warn', detail: 'it does not tell its maxmemory-policy' };
  const hint = 'set maxmemory-policy to noeviction: any other one throws jobs away when memory is short';
  return { check, status: isProduction ? 'fail' : 'warn', detail: evictionPolicy, hint };
}

function persistence({ appendOnly, lastSaveOk }: RedisFacts): Verdict {
  const check = 'redis persistence';
  if (!lastSaveOk) {
    const hint = 'look at its disk: Redis may refuse every write until a save succeeds';
    return { check, status: 'fail', detail: 'the last save failed', hint };
  }
  if (appendOnly) return { check, status: 'ok', detail: 'append-only file' };
  const hint =
    'set appendonly yes; without it every restart empties the engine and the ledger fills it again';
  return { check, status: 'warn', detail: 'no append-only file', hint };
}

function memory({ usedBytes, limitBytes }: RedisFacts): Verdict {
  const check = 'redis memory';
  const used = `${Math.round(usedBytes / 1_048_576)} MB used`;
  if (limitBytes === 0) return { check, status: 'ok', detail: `${used}, no maxmemory` };
  const share = usedBytes / limitBytes;
  const detail = `${used}, ${Math.round(share * 100)} % of maxmemory`;
  if (share < 0.75) return { check, status: 'ok', detail };
  const hint = 'raise maxmemory: from 85 % on nothing more is added, from 90 % on nothing is taken';
  return { check, status: share < 0.9 ? 'warn' : 'fail', detail, hint };
}
