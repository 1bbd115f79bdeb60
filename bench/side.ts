// One round of one side, in a process of its own: `node dist/bench/side.js <name> <context as JSON>`.
// The result goes to file descriptor 3, because stdout carries our log lines, as in production.
import { writeSync } from 'node:fs';
import type { Side, SideContext } from './sides/types.ts';

const sides: Readonly<Record<string, () => Promise<Side>>> = {
  'raw-redis': async () => (await import('./sides/raw-worker.ts')).rawOnRedis,
  'raw-postgres': async () => (await import('./sides/raw-worker.ts')).rawOnPostgres,
  'host-redis': async () => (await import('./sides/host.ts')).hostOnRedis,
  'host-postgres': async () => (await import('./sides/host.ts')).hostOnPostgres,
};

const [name = '', context = '{}'] = process.argv.slice(2);
const load = sides[name];
if (load === undefined) throw new Error(`no side ${name}; known are ${Object.keys(sides).join(', ')}`);
const side = await load();
writeSync(3, JSON.stringify(await side(JSON.parse(context) as SideContext)));
process.exit(0);
