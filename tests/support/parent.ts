// A parent process of an embedded PostgreSQL, for tests that kill one: starts the server of the options in argv[2], prints
// one JSON line { url, port, pid } and lives until its input closes, then stops the server in order.
import { once } from 'node:events';
import { startEmbeddedPostgres, type EmbeddedOptions } from '../../ledger/embedded/start.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedOptions;
const server = await startEmbeddedPostgres(options);
console.log(JSON.stringify({ url: server.url, port: server.port, pid: server.pid }));
process.stdin.resume();
await once(process.stdin, 'end');
await server.stop();
