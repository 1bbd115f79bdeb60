// One round of one side, in a process of its own, so that no side inherits another's heap or compiled code.
// Talks to its parent over IPC: stdout carries our log lines, as in production.
import type { Server, Side, SideContext } from './sides/types.ts';

const sides: Readonly<Record<string, () => Promise<Side>>> = {
  'raw-redis': async () => (await import('./sides/raw-worker.ts')).rawOnRedis,
  'raw-postgres': async () => (await import('./sides/raw-worker.ts')).rawOnPostgres,
  'host-redis': async () => (await import('./sides/host.ts')).hostOnRedis,
  'host-postgres': async () => (await import('./sides/host.ts')).hostOnPostgres,
  graphile: async () => (await import('./sides/graphile.ts')).graphile,
};

const servers: Readonly<Record<string, () => Promise<Server>>> = {
  express: async () => (await import('./sides/express.ts')).bareExpress,
  api: async () => (await import('./sides/api.ts')).ourApi,
};

const [name = '', given = '{}'] = process.argv.slice(2);
const context = JSON.parse(given) as SideContext;
const side = await sides[name]?.();
const server = await servers[name]?.();
if (side !== undefined) {
  process.send?.(await side(context));
  process.disconnect();
  process.exit(0);
}
if (server === undefined) throw new Error(`no side ${name}`);
process.send?.(await server(context));
process.on('disconnect', () => process.exit(0));
// Each message asks for the CPU seconds used so far.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1_000_000);
});
