// The pool of connections to the ledger, and what holds for each of them.
import pg from 'pg';

type Query = (...given: unknown[]) => unknown;

export function openPool(settings: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...settings, onConnect: keepCommits });
  pool.on('connect', (client) => endWhenSilent(client as pg.PoolClient & pg.Client));
  return pool;
}

// A server, a database or a role may be set to lose its last commits in a crash: a 202 would not be kept. Every other value is
// somebody's choice between safe ones. The statements that want it off for themselves (docs/decisions/0006) come later and win.
const raise = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/**
 * Once a connection: no query costs more. The pool waits for it before anybody gets the connection, which its types do not say,
 * and listens to the connection meanwhile: one that broke would end the process otherwise.
 */
function keepCommits(client: pg.ClientBase): unknown {
  return client.query(raise);
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
