// Pictures on their way to the reader: checked, cleaned, uploaded under a fixed name with smaller variants.
import { readArtifact } from '../ledger/artifacts.ts';
import { readStory } from '../ledger/stories.ts';
import { saveImage } from '../ledger/story-parts.ts';
import { imageProcessing } from '../queues/image-processing.ts';
import { defineWorker } from './define.ts';
import { cleanPicture } from './pictures/clean.ts';

const widths = [400, 800];

export const imageProcessingWorker = defineWorker(imageProcessing, {
  async 'process-image'(job, { cloudinary, db, storyFolder }) {
    const { storyId, page, artifactId } = job.payload;
    job.progress(10, 'checking the picture');
    const asset = await job.step(
      'upload',
      async (call) => {
        // The name below is made from the story's id: it must be this tenant's before anything is overwritten.
        await readStory(db, job.tenant, storyId);
        const picture = await cleanPicture((await readArtifact(db, artifactId, job.tenant)).bytes);
        job.progress(50, 'uploading');
        const publicId = `${storyFolder(storyId)}/${page === 0 ? 'cover' : `page-${page}`}`;
        const { bytes, contentType, width, height } = picture;
        const made = await cloudinary.upload({ bytes, contentType, publicId, type: 'image', widths }, call);
        return { publicId, url: made.url, bytes: made.bytes, width, height, variants: made.variants };
      },
      { save: (tx, image) => saveImage(tx, { storyId, page, ...image }) },
    );
    const { url, width, height, variants } = asset;
    return { page, url, width, height, variants: [...variants] };
  },
});
