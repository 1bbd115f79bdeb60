// The story path through real handlers: text, pictures, narration, publication, mail.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { publication } from '../../workers/story-generation.ts';
import { openStoryWorld, type StoryWorld } from './story-world.ts';

let world: StoryWorld;
beforeAll(async () => {
  world = await openStoryWorld();
});
afterAll(async () => {
  await world.close();
});

const wish = { childName: 'Ada', age: 6, theme: 'a lighthouse', pages: 3, notify: 'parent@example.com' };

const { notify: _, ...quiet } = wish;

interface Published {
  storyId: string;
  degraded: boolean;
  missing: string[];
  coverUrl: string | null;
  narrationUrl: string | null;
  captionsUrl: string | null;
  pages: { page: number; imageUrl: string | null }[];
}

async function published(rootId: string): Promise<Published> {
  const job = await world.db.prisma.job.findFirstOrThrow({ where: { rootId, kind: 'publish-story' } });
  expect(job.state).toBe('succeeded');
  return job.result as unknown as Published;
}

test('a wish becomes a story whose pictures, narration and captions open, and a mail', async () => {
  const id = await world.run('generate-story', wish);
  const family = await world.db.prisma.job.findMany({ where: { rootId: id } });
  const failed = family.filter(({ state }) => state !== 'succeeded');
  expect(failed.map(({ kind, errorMessage }) => ({ kind, errorMessage }))).toEqual([]);
  expect(family.map(({ kind }) => kind).toSorted()).toEqual([
    ...Array.from({ length: 4 }, () => 'generate-images'),
    'narrate-story',
    ...Array.from({ length: 4 }, () => 'process-image'),
    'publish-story',
    'send-email',
  ]);
  const story = await published(id);
  expect(story).toMatchObject({ storyId: id, degraded: false, missing: [] });
  const links = [
    story.coverUrl,
    story.narrationUrl,
    story.captionsUrl,
    ...story.pages.map((page) => page.imageUrl),
  ];
  const answers = await Promise.all(
    links.map(async (link) => (await fetch(link ?? '')).headers.get('content-type')),
  );
  expect(answers.map((type) => type?.split('/')[0])).toEqual([
    'image',
    'audio',
    'text',
    'image',
    'image',
    'image',
  ]);
  const row = await world.db.prisma.story.findUniqueOrThrow({ where: { id }, include: { narration: true } });
  expect(row.publishedAt).not.toBeNull();
  expect(row.narration).toMatchObject({ flagged: false, wordErrorRate: 0 });
  const mail = await world.db.prisma.outboundMail.findFirstOrThrow({ where: { recipient: wish.notify } });
  expect(mail).toMatchObject({ template: 'story-ready', tenant: 'acme' });
}, 120_000);

test('a picture that is refused leaves a degraded story that says so', async () => {
  await world.fault('gemini', 'generate-picture', { kind: 'safety' });
  const story = await published(await world.run('generate-story', quiet));
  expect(story.degraded).toBe(true);
  expect(story.missing).toHaveLength(1);
  expect(story.missing[0]).toMatch(/^(cover|page-[123])$/);
});

test('another tenant cannot draw, narrate or publish a story by its id', async () => {
  const storyId = await world.run('generate-story', quiet);
  const ids = [
    await world.run('generate-images', { storyId, page: 1 }, 'rival'),
    await world.run('narrate-story', { storyId }, 'rival'),
    await world.run('publish-story', { storyId }, 'rival'),
  ];
  const jobs = await world.db.prisma.job.findMany({ where: { id: { in: ids } } });
  expect(jobs.map(({ state, errorCode }) => [state, errorCode])).toEqual(
    ids.map(() => ['dead', 'bad_input']),
  );
});

test('what is missing is named in the order of the book', () => {
  const story = { id: 's', title: 'T', childName: 'Ada', pages: [{ number: 1 }, { number: 2 }] };
  const images = [{ page: 2, url: 'https://x.test/2' }];
  expect(publication({ ...story, images, narration: null })).toMatchObject({
    degraded: true,
    missing: ['cover', 'page-1', 'narration'],
    coverUrl: null,
    pages: [
      { page: 1, imageUrl: null },
      { page: 2, imageUrl: 'https://x.test/2' },
    ],
  });
});
