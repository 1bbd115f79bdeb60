// Keeps a part off a schema that it does not fit: at its start, and while it runs, because a deploy may migrate under it.
import { SchemaRefused } from '../shared/errors.ts';
import type { Db } from '../ledger/db.ts';
import { requireSchema } from '../ledger/schema-status.ts';
import type { Part } from './process.ts';

/** While the ledger is away: parts start without it, and must not begin to work on the wrong schema when it comes. */
const awayMs = 1_000;
const lookMs = 10_000;

/** Throws SchemaRefused when the ledger answers and does not fit; later the part leaves with that error. */
export async function watchSchema({ lifecycle, emit, leave }: Part, db: Db): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let told = false;

  /** Milliseconds until the next look. */
  async function look(): Promise<number> {
    try {
      const { unknown } = await requireSchema(db);
      if (unknown.length > 0 && !told)
        emit('notice', {
          level: 'info',
          message: `the ledger is newer than this build: ${unknown.join(', ')}`,
        });
      told ||= unknown.length > 0;
      return lookMs;
    } catch (thrown) {
      if (thrown instanceof SchemaRefused) throw thrown;
      return awayMs;
    }
  }

  function lookLater(ms: number): void {
    if (lifecycle.stopping) return;
    timer = setTimeout(() => void look().then(lookLater, leave), ms);
    timer.unref();
  }

  lifecycle.onStop('the watch over the schema', () => clearTimeout(timer));
  lookLater(await look());
}
