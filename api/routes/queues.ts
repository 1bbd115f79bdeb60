// The queues: depth by state and age, of every queue of the registry, zeros included, so that a reader needs no list.
import type { QueueDefinition } from '../../queues/define.ts';
import { Problem } from '../../shared/errors.ts';
import { remember } from '../../shared/remember.ts';
import { quoted } from '../../shared/text.ts';
import { emptyStats, queueStats, type QueueStats } from '../../ledger/queries-queues.ts';
import type { ApiDeps, Route } from '../deps.ts';
import { sendJson } from '../exchange.ts';

const rememberedMs = 1_000;
/** Of the time: on a busy day a count takes long, just when the ledger has better things to do. */
const share = 0.2;

export function queueRoutes(deps: ApiDeps): Route[] {
  const names = deps.registry.queues.map((queue) => queue.name);
  const stats = remember(rememberedMs, () => queueStats(deps.db, names), share);
  return [
    {
      method: 'GET',
      path: '/v1/queues',
      query: [],
      scope: 'jobs:read',
      async run(exchange) {
        const known = await stats();
        sendJson(exchange, 200, { queues: deps.registry.queues.map((queue) => queueBody(queue, known)) });
      },
    },
    {
      method: 'GET',
      path: '/v1/queues/:queue',
      query: [],
      scope: 'jobs:read',
      async run(exchange) {
        const name = exchange.params['queue'] ?? '';
        const queue = deps.registry.queues.find((candidate) => candidate.name === name);
        if (queue === undefined) throw notFound(name, names);
        sendJson(exchange, 200, queueBody(queue, await stats()));
      },
    },
  ];
}

function queueBody(
  queue: QueueDefinition,
  stats: ReadonlyMap<string, QueueStats>,
): { queue: string } & QueueStats {
  return { queue: queue.name, ...(stats.get(queue.name) ?? emptyStats) };
}

function notFound(name: string, queues: readonly string[]): Problem {
  const list = queues.join(', ');
  return new Problem(
    'queue_not_found',
    `the request failed: ${quoted(name)} is not a queue; known are ${list}`,
    {
      details: { queues },
    },
  );
}
