// The uploaded parts of a story: pictures and the narration. A repeated upload replaces its row, as it replaces the asset.
import type { Tx } from './db.ts';

export interface StoryImage {
  storyId: string;
  /** 0 is the cover. */
  page: number;
  publicId: string;
  url: string;
  /** Pixels. */
  width: number;
  height: number;
  bytes: number;
  variants: readonly { width: number; url: string }[];
}

export interface StoryNarration {
  storyId: string;
  voiceId: string;
  audioUrl: string;
  captionsUrl: string;
  durationSeconds: number;
  /** Characters that were spoken. */
  characters: number;
  transcript: string;
  /** Share of words that were heard differently. */
  wordErrorRate: number;
  flagged: boolean;
}

export async function saveImage(tx: Tx, image: StoryImage): Promise<void> {
  const { storyId, page, ...rest } = image;
  const data = { ...rest, variants: image.variants.map(({ width, url }) => ({ width, url })) };
  await tx.image.upsert({
    where: { storyId_page: { storyId, page } },
    create: { storyId, page, ...data },
    update: data,
    select: { page: true },
  });
}

export async function saveNarration(tx: Tx, narration: StoryNarration): Promise<void> {
  const { storyId, ...data } = narration;
  await tx.narration.upsert({
    where: { storyId },
    create: narration,
    update: data,
    select: { storyId: true },
  });
}
