// What the API is made of, and what a route is. Everything comes in as an argument: no route knows a process or a setting.
import type { Registry } from '../queues/registry.ts';
import type { Emit } from '../shared/events.ts';
import type { Db } from '../ledger/db.ts';
import type { Removed } from '../ledger/cancel.ts';
import type { Enqueue } from '../ledger/enqueue.ts';
import type { Caller } from '../ledger/keys.ts';
import type { Authenticate } from './auth.ts';
import type { Exchange } from './exchange.ts';
import type { CheckSpending } from './spending.ts';

export interface ApiDeps {
  registry: Registry;
  db: Db;
  enqueue: Enqueue;
  authenticate: Authenticate;
  emit: Emit;
  readiness: () => Promise<{
    ledger: boolean;
    engine: boolean;
    engineKind?: string;
    engineReason?: string | null;
  }>;
  /** The Prometheus text; without it there is no /metrics. */
  metrics?: { text: () => Promise<string>; contentType: string };
  /** Signs links to artifacts. */
  linkSecret: string;
  /** Address of the API as users see it, for the OpenAPI document. */
  publicUrl?: string;
  /** The ledger's time in ms since 1970, for points of time that requests name; default this machine's. */
  now?: () => Promise<number>;
  /** Asked before a job that costs is accepted; without it each of them is. */
  checkSpending?: CheckSpending;
  /** True once the process is stopping: it is not ready any more, and asks its clients to connect elsewhere. */
  draining: () => boolean;
  /** True once it takes nothing more: every request but the probes gets a 503. */
  closing?: () => boolean;
  /** Told which jobs were cancelled, to take them out of the engine as a courtesy; must not throw. */
  onCancelled?: (rows: readonly Removed[]) => void;
}

interface RouteBase {
  method: 'GET' | 'POST';
  path: string;
  /** Query parameters it knows; any other is refused. */
  query: readonly string[];
}

/** `open` routes are answered without a key; all others are run with a caller who has the scope, if one is named. */
export type Route =
  | (RouteBase & { open: true; probe?: true; run: (exchange: Exchange) => Promise<void> | void })
  | (RouteBase & {
      open?: undefined;
      scope?: string;
      run: (exchange: Exchange, caller: Caller) => Promise<void> | void;
    });
