// What a user would write first: an Express handler that awaits queue.add and answers with the id.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';
import { retention } from '../../engine/broker.ts';
import { payload, type Server } from './types.ts';

export const bareExpress: Server = async (context) => {
  const connection = new Redis(context.redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue<object>('express', {
    connection,
    prefix: '{express}',
    defaultJobOptions: retention,
  });
  await queue.waitUntilReady();
  const app = express();
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 forwards a rejection
  app.post('/jobs', express.json(), async (req, res) => {
    const { kind, payload: data } = req.body as { kind: string; payload: object };
    const job = await queue.add(kind, data, { priority: 5 });
    res
      .status(202)
      .json({ id: job.id, kind, queue: queue.name, state: 'waiting', createdAt: new Date(job.timestamp) });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    path: '/jobs',
    headers: {},
    body: JSON.stringify({ kind: 'noop', payload }),
  };
};
