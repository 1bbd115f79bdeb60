// Uploaded parts of a story in the ledger.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { readParts, saveStory } from '../../ledger/stories.ts';
import { saveImage, saveNarration } from '../../ledger/story-parts.ts';
import { openLedger, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(async () => {
  await world.close();
});

test('a part that is uploaded again replaces its row', async () => {
  const storyId = newId();
  const text = {
    childName: 'Ada',
    age: 6,
    theme: 't',
    language: 'en',
    title: 'T',
    moral: 'm',
    artDirection: 'a',
    model: 'x',
  };
  const image = {
    storyId,
    page: 0,
    publicId: 'p',
    width: 2,
    height: 1,
    bytes: 3,
    variants: [{ width: 1, url: 'v' }],
  };
  const narration = {
    storyId,
    voiceId: 'v',
    captionsUrl: 'c',
    durationSeconds: 1.5,
    characters: 9,
    transcript: '',
    wordErrorRate: 1,
    flagged: true,
  };
  await world.db.prisma.$transaction(async (tx) => {
    await saveStory(tx, {
      ...text,
      id: storyId,
      jobId: storyId,
      tenant: 'acme',
      pages: [{ text: 'one', scene: 's' }],
    });
    for (const url of ['old', 'new']) {
      await saveImage(tx, { ...image, url });
      await saveNarration(tx, { ...narration, audioUrl: url });
    }
  });
  expect(await readParts(world.db, 'acme', storyId)).toMatchObject({
    images: [{ page: 0, url: 'new' }],
    narration: { audioUrl: 'new', captionsUrl: 'c' },
  });
});
