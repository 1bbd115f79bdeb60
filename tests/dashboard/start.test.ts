// The dashboard's server itself: what a connection may hold.
import { expect, test } from '@jest/globals';
import { askAndNeverRead } from '../support/deaf.ts';
import { openDashboard } from './world.ts';

test('a browser that does not read its answers loses the connection, and the next one is answered', async () => {
  const world = await openDashboard({ silenceMs: 500 });
  await askAndNeverRead(world.url, 'GET /ops.css HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20_000));
  expect((await world.visit('/livez')).status).toBe(200);
  await world.close();
});
