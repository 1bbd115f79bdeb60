// Stories: the text first, then (as children) a picture for every page, the narration, and the publication when all of
// those have ended. A part that failed for good does not sink the story: it is published degraded and says what is missing.
import { Failure } from '../shared/errors.ts';
import { storyGeneration } from '../queues/story-generation.ts';
import {
  publishStory,
  readParts,
  readStory,
  saveStory,
  type StoryParts,
  type StoryText,
} from '../ledger/stories.ts';
import { defineWorker } from './define.ts';
import { oneLine } from './one-line.ts';

export const storyGenerationWorker = defineWorker(storyGeneration, {
  async 'generate-story'(job, { gemini }) {
    const { childName, age, theme, language, pages, voiceId, notify } = job.payload;
    job.progress(5, 'writing the story');
    const story = await job.step(
      'write',
      async (call) => {
        const draft = await gemini.writeStory({ childName, age, theme, language, pages }, call);
        // A replay that keeps this step must find the story under the id it was saved with, so the id is in the value.
        return { ...draft, storyId: job.id, title: titleOf(draft.title) };
      },
      {
        async save(tx, { storyId: id, ...draft }) {
          const { tenant, id: jobId } = job;
          await saveStory(tx, { ...draft, id, tenant, jobId, childName, age, theme, language });
        },
      },
    );
    const { storyId, title } = story;
    job.progress(90, `${story.pages.length} pages written`);
    for (let page = 0; page <= story.pages.length; page += 1)
      job.enqueue('generate-images', { storyId, page });
    job.enqueue('narrate-story', { storyId, ...(voiceId !== undefined && { voiceId }) });
    job.enqueue('publish-story', { storyId, ...(notify !== undefined && { notify }) }, { after: 'siblings' });
    return { storyId, title, pages: story.pages.length };
  },

  async 'generate-images'(job, { gemini, db }) {
    const { storyId, page } = job.payload;
    job.progress(5, page === 0 ? 'drawing the cover' : `drawing page ${page}`);
    const picture = await job.step('draw', async (call) => {
      const story = await readStory(db, job.tenant, storyId);
      return gemini.drawPicture({ scene: sceneOf(story, page), artDirection: story.artDirection }, call);
    });
    job.progress(90, 'drawn');
    const { artifactId } = picture.bytes;
    job.enqueue('process-image', { storyId, page, artifactId });
    return { page, artifactId };
  },

  async 'publish-story'(job, { db }) {
    const { storyId, notify } = job.payload;
    job.progress(10, 'putting the parts together');
    const { childName, ...story } = await job.step(
      'publish',
      async () => publication(await readParts(db, job.tenant, storyId)),
      { save: (tx, { degraded }) => publishStory(tx, storyId, degraded) },
    );
    const { title, degraded, coverUrl, narrationUrl } = story;
    if (notify !== undefined) {
      const links = {
        ...(coverUrl !== null && { coverUrl }),
        ...(narrationUrl !== null && { narrationUrl }),
      };
      const variables = { childName, title, degraded, ...links };
      job.enqueue('send-email', { template: 'story-ready', to: notify, variables });
    }
    job.progress(90, degraded ? `published without ${story.missing.join(', ')}` : 'published');
    return story;
  },
});

/** A title is shown in subjects and headings, so it must be one line; the model's may be anything. */
function titleOf(draft: string): string {
  const title = oneLine(draft);
  if (title === '')
    throw new Failure('bad_output', 'the story failed: its title is empty; it will be written again');
  return title;
}

function sceneOf(story: StoryText, page: number): string {
  if (page === 0) {
    const first = story.pages[0]?.scene ?? story.title;
    return `The cover of the whole story "${story.title}", with its hero in the middle, inviting to open the book. ${first}`;
  }
  const found = story.pages.find(({ number }) => number === page);
  if (found === undefined)
    throw new Failure(
      'bad_input',
      `page ${page} cannot be drawn: the story has ${story.pages.length} pages; check the page`,
    );
  return found.scene;
}

/** The story as its readers get it. `missing` names the parts in the order of the book: cover, page-1 ..., narration. */
export function publication(story: StoryParts) {
  const pictures = new Map(story.images.map(({ page, url }) => [page, url]));
  const pages = story.pages.map(({ number }) => ({ page: number, imageUrl: pictures.get(number) ?? null }));
  const coverUrl = pictures.get(0) ?? null;
  const missing = [
    ...(coverUrl === null ? ['cover'] : []),
    ...pages.filter(({ imageUrl }) => imageUrl === null).map(({ page }) => `page-${page}`),
    ...(story.narration === null ? ['narration'] : []),
  ];
  return {
    storyId: story.id,
    title: story.title,
    childName: story.childName,
    degraded: missing.length > 0,
    missing,
    coverUrl,
    narrationUrl: story.narration?.audioUrl ?? null,
    captionsUrl: story.narration?.captionsUrl ?? null,
    pages,
  };
}
