// Pictures through the real handler: from an artifact to an uploaded asset with variants.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { storeArtifact } from '../../ledger/artifacts.ts';
import { addStory, openStoryWorld, type StoryWorld } from './story-world.ts';

let world: StoryWorld;
let storyId: string;
beforeAll(async () => {
  world = await openStoryWorld();
  storyId = await addStory(world);
});
afterAll(async () => {
  await world.close();
});

async function jobOf(id: string) {
  return world.db.prisma.job.findUniqueOrThrow({ where: { id } });
}

async function artifactOf(bytes: Uint8Array, tenant = 'acme'): Promise<string> {
  const owner = { jobId: newId(), tenant };
  const stored = await world.db.prisma.$transaction((tx) =>
    storeArtifact(tx, owner, { bytes, contentType: 'image/png' }),
  );
  return stored.artifactId;
}

test('an uploaded picture opens in its own size and in two smaller ones', async () => {
  await world.run('generate-images', { storyId, page: 1 });
  const image = await world.db.prisma.image.findUniqueOrThrow({
    where: { storyId_page: { storyId, page: 1 } },
  });
  expect(image.publicId).toMatch(new RegExp(`^stories/${storyId}/[0-9a-f]{32}/page-1$`));
  expect(image.width).toBeGreaterThanOrEqual(1024);
  const variants = image.variants as { width: number; url: string }[];
  expect(variants.map(({ width }) => width)).toEqual([400, 800]);
  const links = [image.url, ...variants.map(({ url }) => url)];
  const answers = await Promise.all(links.map(async (link) => (await fetch(link)).status));
  expect(answers).toEqual([200, 200, 200]);
});

test('a picture that is none dies at once and nothing is uploaded', async () => {
  const artifactId = await artifactOf(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  const id = await world.run('process-image', { storyId, page: 2, artifactId });
  const { state, errorCode, errorMessage, failures } = await jobOf(id);
  expect({ state, errorCode, failures }).toEqual({ state: 'dead', errorCode: 'bad_input', failures: 1 });
  expect(errorMessage).toMatch(
    /^the picture was refused: its type is .*; PNG, JPEG, WebP and GIF are taken$/,
  );
  const bill = await fetch(`${world.sandbox.url}/_sandbox/bill?step=${id}:upload`);
  expect(((await bill.json()) as { entries: unknown[] }).entries).toEqual([]);
});

test("neither another tenant's bytes nor another tenant's story can be used", async () => {
  const foreign = await artifactOf(Buffer.from('bytes'), 'rival');
  const own = await artifactOf(Buffer.from('bytes'), 'rival');
  const ids = [
    await world.run('process-image', { storyId, page: 1, artifactId: foreign }),
    await world.run('process-image', { storyId, page: 1, artifactId: own }, 'rival'),
  ];
  const jobs = await Promise.all(ids.map(jobOf));
  expect(jobs.map(({ state, errorMessage }) => [state, errorMessage])).toEqual([
    ['dead', expect.stringContaining(`artifact ${foreign} cannot be read`)],
    ['dead', expect.stringContaining(`story ${storyId} cannot be read`)],
  ]);
});
