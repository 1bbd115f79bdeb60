// What a job of the real kind `process-image` needs before it can be asked for: a story of the row's tenant, and a stored file.
import { storeArtifact } from '../../../ledger/artifacts.ts';
import { saveStory } from '../../../ledger/stories.ts';
import { newId } from '../../../shared/ids.ts';
import type { World } from './world.ts';

export async function addStory({ db }: World): Promise<string> {
  const id = newId();
  const story = {
    childName: 'Ottilie',
    age: 6,
    theme: 'a fox',
    language: 'en',
    title: 'The Fox',
    moral: 'Be kind.',
  };
  const row = { ...story, id, jobId: id, tenant: 'faults', artDirection: 'watercolour', model: 'm' };
  await db.prisma.$transaction((tx) =>
    saveStory(tx, { ...row, pages: [{ text: 'A fox.', scene: 'A fox' }] }),
  );
  return id;
}

export async function addArtifact({ db }: World, bytes: Uint8Array): Promise<string> {
  const owner = { jobId: newId(), tenant: 'faults' };
  const stored = await db.prisma.$transaction((tx) =>
    storeArtifact(tx, owner, { bytes, contentType: 'image/png' }),
  );
  return stored.artifactId;
}
