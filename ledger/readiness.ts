// Whether the ledger and the engine answer, asked every second on the connections in use, so that each change is told once,
// within seconds, with its reason; and again every minute while something is away. Never asks a connection of its own: a
// second one can be well while the one that carries the jobs hangs.
import type { Emit } from '../shared/events.ts';
import { toError } from '../shared/errors.ts';
import { reasonOf } from '../engine/pressure.ts';
import type { Broker, EngineKind, EngineReason } from '../engine/types.ts';
import type { Db } from './db.ts';

export interface Readiness {
  ledger: boolean;
  engine: boolean;
  engineKind: EngineKind;
  /** Why the engine cannot be used as it should; null when it can. */
  engineReason: EngineReason | null;
}

export interface ReadinessWatch {
  /** Asks now; several askers share one question. Takes two seconds at most and never rejects. */
  now: () => Promise<Readiness>;
  stop: () => void;
}

export interface ReadinessOptions {
  db: Pick<Db, 'ping'>;
  broker: Pick<Broker, 'ping' | 'kind' | 'pressure'>;
  emit: Emit;
}

const everyMs = 1_000;
const limitMs = 2_000;
const repeatMs = 60_000;

export function watchReadiness({ db, broker, emit }: ReadinessOptions): ReadinessWatch {
  const ledger = createProbe('ledger', () => db.ping(), emit);
  const engine = createProbe('engine', () => broker.ping(), emit);
  let asking: Promise<Readiness> | undefined;

  async function ask(): Promise<Readiness> {
    const [first, second] = await Promise.all([ledger(), engine()]);
    return {
      ledger: first === undefined,
      engine: second === undefined,
      engineKind: broker.kind,
      engineReason: engineReason(second, broker),
    };
  }

  const now = (): Promise<Readiness> => (asking ??= ask().finally(() => (asking = undefined)));
  const timer = setInterval(() => void now(), everyMs);
  timer.unref();
  return { now, stop: () => clearInterval(timer) };
}

function engineReason(refusal: string | undefined, broker: Pick<Broker, 'pressure'>): EngineReason | null {
  if (refusal !== undefined) return reasonOf(refusal);
  return broker.pressure.holdsAdds ? 'memory_high' : null;
}

/** One dependency: why it cannot be used, undefined when it answered in time. A question that hangs is not put again beside itself. */
function createProbe(
  name: 'ledger' | 'engine',
  ping: () => Promise<void>,
  emit: Emit,
): () => Promise<string | undefined> {
  let open: Promise<string | undefined> | undefined;
  let was: boolean | undefined;
  let toldAt = 0;

  /** Why it cannot be used, or nothing. */
  function question(): Promise<string | undefined> {
    open ??= ping()
      .then(
        () => undefined,
        (thrown: unknown) => toError(thrown).message,
      )
      .finally(() => (open = undefined));
    return open;
  }

  return async () => {
    const reason = await within(question());
    const ready = reason === undefined;
    const stillAway = !ready && performance.now() - toldAt > repeatMs;
    if (ready === was && !stillAway) return reason;
    was = ready;
    toldAt = performance.now();
    emit('dependency.changed', { name, ready, ...(reason !== undefined && { message: reason }) });
    return reason;
  };
}

async function within(work: Promise<string | undefined>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${limitMs / 1_000} s`), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
