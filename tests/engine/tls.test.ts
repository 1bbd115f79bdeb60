// What goes over the wire first when an address says `rediss`: a handshake and no password, to Sentinels and nodes too.
// Covers: engine/redis.ts
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openEngine } from '../../engine/connect.ts';
import { eventually } from '../support/house.ts';

const greetings: Buffer[] = [];
let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first) => {
      greetings.push(first);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

test.each(['rediss', 'rediss+cluster', 'rediss+sentinel'])('%s', async (scheme) => {
  greetings.length = 0;
  const path = scheme === 'rediss+sentinel' ? '/main' : '';
  const redisUrl = `${scheme}://:secret@localhost:${port}${path}`;
  const engine = openEngine({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none', redisUrl, workers: 0 });
  engine.ready.catch(() => undefined);
  await eventually('it was greeted', () => greetings.length > 0);
  await engine.close();
  for (const greeting of greetings) {
    expect(greeting[0]).toBe(0x16); // a TLS record of a handshake
    expect(greeting.includes('secret')).toBe(false);
  }
});
