import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queues } from '../../../queues/index.ts';
import { ask, openApi, post, problemOf, type ApiWorld } from '../world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
});
afterAll(() => world.close());

test('every queue of the registry is shown with every figure, zeros included', async () => {
  await post(world);
  const body = (await (await ask(world, '/v1/queues', { key: 'reader' })).json()) as { queues: object[] };
  const zero = { waiting: 0, scheduled: 0, running: 0, retrying: 0, snoozed: 0, blocked: 0, parked: 0 };
  const age = expect.any(Number);
  expect(body.queues).toEqual(
    queues.map(({ name }) => ({
      queue: name,
      ...zero,
      waiting: name === 'story-generation' ? 1 : 0,
      deadLastDay: 0,
      oldestWaitingSeconds: age,
      atLeast: [],
    })),
  );
  const one = (await (await ask(world, '/v1/queues/story-generation')).json()) as object;
  expect(one).toMatchObject({ queue: 'story-generation', waiting: 1 });
});

test.each([
  ['emial'],
  ['__proto__'],
  ['constructor'],
  ['a:b'],
  ['..%2Femail'],
  ['x'.repeat(300)],
  ['em%D0%B0il'],
  ['email%00'],
  ['EMAIL'],
])('the queue %s is a 404 that lists the queues', async (name) => {
  const response = await ask(world, `/v1/queues/${name}`);
  const problem = await problemOf(response);
  expect([response.status, problem.code]).toEqual([404, 'queue_not_found']);
  expect(problem.details).toEqual({ queues: queues.map((queue) => queue.name) });
  expect(problem.detail).not.toContain('\0');
});
