// Stories and pages in the ledger.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../shared/ids.ts';
import { publishStory, readParts, readStory, saveStory } from '../../ledger/stories.ts';
import { openLedger, type LedgerWorld } from './world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(async () => {
  await world.close();
});

const draft = {
  childName: 'Ada',
  age: 6,
  theme: 't',
  language: 'en',
  title: 'T',
  moral: 'm',
  artDirection: 'a',
  model: 'x',
};
const pages = [
  { text: 'one', scene: 's1' },
  { text: 'two', scene: 's2' },
];

async function addStory(): Promise<string> {
  const id = newId();
  await world.db.prisma.$transaction((tx) =>
    saveStory(tx, { ...draft, id, jobId: id, tenant: 'acme', pages }),
  );
  return id;
}

test('a story is read with its pages in order, by its own tenant only', async () => {
  const id = await addStory();
  expect(await readStory(world.db, 'acme', id)).toEqual({
    id,
    title: 'T',
    language: 'en',
    artDirection: 'a',
    pages: pages.map((page, index) => ({ ...page, number: index + 1 })),
  });
  const parts = {
    id,
    title: 'T',
    childName: 'Ada',
    pages: [{ number: 1 }, { number: 2 }],
    images: [],
    narration: null,
  };
  expect(await readParts(world.db, 'acme', id)).toEqual(parts);
  for (const read of [readStory, readParts])
    await expect(read(world.db, 'rival', id)).rejects.toMatchObject({ code: 'bad_input' });
});

test('a story that is published again keeps its first moment', async () => {
  const id = await addStory();
  const publish = async (degraded: boolean) => {
    await world.db.prisma.$transaction((tx) => publishStory(tx, id, degraded));
    return world.db.prisma.story.findUniqueOrThrow({ where: { id } });
  };
  const first = await publish(true);
  const second = await publish(false);
  expect(first.publishedAt).not.toBeNull();
  expect(second.publishedAt).toEqual(first.publishedAt);
  expect([first.degraded, second.degraded]).toEqual([true, false]);
});
