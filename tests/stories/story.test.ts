// One command makes a story: `storytime up`, one POST, and in the end pictures that open, a narration with captions that
// fit it, a mail, a queue listing and a bill with one accepted request a step. On both engines, with restarts and kills.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { processesOf, startSystem, type BillEntry, type TestSystem } from '../support/system.ts';

const wish = {
  childName: 'Zoë',
  age: 6,
  theme: 'a lighthouse that is afraid of the dark',
  pages: 3,
  notify: 'parent@example.com',
};
const folders: string[] = [];
const systems: TestSystem[] = [];
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await Promise.all(systems.map(({ process }) => process.end('SIGKILL')));
  await eventually(
    'nothing is left running',
    () => folders.every((folder) => processesOf(folder).length === 0),
    30_000,
  );
  await redis.stop();
  await Promise.all(folders.map(removeFolder));
});

/** Servers, not their backends: a backend's parent is a postgres, too. */
function postmasters(home: string): unknown[] {
  const servers = processesOf(home).filter(({ args }) => /postgres -D|^postgres: /.test(args));
  return servers.filter(({ parent }) => !servers.some(({ pid }) => pid === parent));
}

async function start(home: string, env?: Record<string, string>): Promise<TestSystem> {
  const system = await startSystem(home, env);
  systems.push(system);
  return system;
}

async function newHome(): Promise<string> {
  const folder = await createFolder();
  folders.push(folder);
  return folder;
}

interface Child {
  id: string;
  kind: string;
  state: string;
}
interface Answer {
  state: string;
  result: Published;
  children: Child[];
  tree: { total: number; open: number; dead: number };
}
interface Published {
  storyId: string;
  title: string;
  degraded: boolean;
  missing: string[];
  coverUrl: string;
  narrationUrl: string;
  captionsUrl: string;
  pages: { page: number; imageUrl: string }[];
}

async function published(system: TestSystem, id: string): Promise<Published> {
  await eventually(
    'the story is published',
    async () => {
      const { state, tree } = await system.read<Answer>(`/v1/jobs/${id}`);
      return state === 'succeeded' && tree.open === 0;
    },
    90_000,
  );
  const root = await system.read<Answer>(`/v1/jobs/${id}`);
  expect(root.tree).toMatchObject({ open: 0, dead: 0 });
  const publish = root.children.find((child) => child.kind === 'publish-story');
  const answer = await system.read<Answer>(`/v1/jobs/${publish?.id ?? ''}`);
  expect(answer).toMatchObject({ state: 'succeeded', result: { degraded: false, missing: [] } });
  return answer.result;
}

function twice(bill: readonly BillEntry[]): string[] {
  const steps = bill.flatMap(({ step }) => (step === undefined ? [] : [step]));
  return steps.filter((step, index) => steps.indexOf(step) !== index);
}

async function checkStory(system: TestSystem, story: Published): Promise<void> {
  expect(story.pages.map(({ page }) => page)).toEqual([1, 2, 3]);
  for (const url of [story.coverUrl, ...story.pages.map(({ imageUrl }) => imageUrl)]) {
    const picture = await fetch(url);
    expect([picture.status, picture.headers.get('content-type')?.split('/')[0]]).toEqual([200, 'image']);
  }
  const audio = await fetch(story.narrationUrl);
  expect([audio.status, audio.headers.get('content-type')]).toEqual([200, 'audio/mpeg']);
  const captions = await (await fetch(story.captionsUrl)).text();
  expect(captions.startsWith('WEBVTT')).toBe(true);
  const seconds = (await audio.arrayBuffer()).byteLength / (128_000 / 8);
  expect(Math.abs(lastSecond(captions) - seconds)).toBeLessThan(1.5);
  const mailbox = new URL('/mailbox.json?to=parent@example.com', system.mailbox).href;
  await eventually(
    'the mail has come',
    async () => (await system.read<{ mails: unknown[] }>(mailbox)).mails.length > 0,
  );
  const { mails } = await system.read<{ mails: { subject: string }[] }>(mailbox);
  expect(mails.map(({ subject }) => subject)).toEqual([expect.stringContaining('Zoë')]);
}

function lastSecond(captions: string): number {
  const [hours = 0, minutes = 0, seconds = 0] =
    [...captions.matchAll(/--> (?:(\d+):)?(\d+):([\d.]+)/g)]
      .at(-1)
      ?.slice(1)
      .map((part) => Number(part ?? 0)) ?? [];
  return hours * 3_600 + minutes * 60 + seconds;
}

for (const engine of ['postgres', 'redis'] as const) {
  test(`${engine}: one command and one request make a story, and a restart keeps it`, async () => {
    const home = await newHome();
    const env = engine === 'redis' ? { REDIS_URL: redis.url } : {};
    const system = await start(home, env);
    expect(system.engine).toBe(engine);
    const { id } = await system.client.enqueue('generate-story', wish);
    const story = await published(system, id);
    await checkStory(system, story);
    expect(twice(await system.bill())).toEqual([]);
    const { queues } = await system.read<{ queues: { queue: string; waiting: number }[] }>('/v1/queues');
    expect(queues).toHaveLength(5);
    expect(await system.process.end('SIGTERM')).toBe(0);
    expect(processesOf(home)).toEqual([]);
    const again = await start(home, env);
    expect(await published(again, id)).toEqual(story);
    await checkStory(again, story);
    expect(await again.process.end('SIGTERM')).toBe(0);
  }, 180_000);
}

test('a system killed in mid-story leaves no orphan, and its next start finishes the story', async () => {
  const home = await newHome();
  // Short, for the wait; yet a machine that starts a whole system at once stands still for seconds, and no lease may be lost by that.
  const killable = { STORYTIME_LEASE_MS: '10000', STORYTIME_RENEW_MS: '2000', STORYTIME_SWEEP_MS: '500' };
  const system = await start(home, killable);
  const { id } = await system.client.enqueue('generate-story', wish);
  await eventually('pictures are under way', async () => (await system.bill()).length >= 3, 60_000);
  await system.process.end('SIGKILL');
  await eventually('everything is gone', () => processesOf(home).length === 0, 30_000);
  const again = await start(home, killable);
  expect(postmasters(home)).toHaveLength(1);
  await checkStory(again, await published(again, id));
  // One more accepted request only for a call that the kill hit; none for a step that had succeeded.
  const repeated = twice(await again.bill());
  const attempts = new Set(repeated.map((step) => step.split(':')[0]));
  for (const jobId of attempts) {
    const { attempts: all } = await again.read<{ attempts: { outcome: string }[] }>(
      `/v1/jobs/${jobId}?include=attempts`,
    );
    expect(all.map(({ outcome }) => outcome)).toEqual(['crashed', 'succeeded']);
  }
  expect(repeated).toEqual([...new Set(repeated)]);
  await again.process.end('SIGTERM');
}, 180_000);
