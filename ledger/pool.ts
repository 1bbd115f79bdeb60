// The pool of connections to the ledger, and what holds for each of them before somebody gets it.
import pg from 'pg';

type Query = (...given: unknown[]) => unknown;

export function openPool(settings: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(settings);
  pool.on('connect', (client) => endWhenSilent(client as pg.PoolClient & pg.Client));
  return pool;
}

/**
 * Whoever waited in vain for an answer gives the connection back, or sends its ROLLBACK there: that would be waited for just as
 * long, and the next user would wait behind it. Ended, it refuses both at once, and the pool replaces it.
 */
function endWhenSilent(client: pg.Client): void {
  const query = client.query.bind(client) as Query;
  const watched: Query = (...given) => {
    const answer = query(...given);
    // Without a promise it is the pool's own query, which ends a connection that failed.
    if (answer instanceof Promise)
      answer.catch((thrown: unknown) => {
        if (isSilence(thrown)) void client.end();
      });
    return answer;
  };
  client.query = watched as typeof client.query;
}

function isSilence(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === 'Query read timeout';
}
