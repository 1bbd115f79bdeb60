// Stories and their pages: Storytime's own rows, written in the transaction of the step that paid for them.
// Every read names the tenant, so that a job can never reach into another tenant's story by its id.
import { Failure } from '../shared/errors.ts';
import type { Db, Tx } from './db.ts';

export interface NewStory {
  id: string;
  tenant: string;
  jobId: string;
  childName: string;
  /** Years. */
  age: number;
  theme: string;
  language: string;
  title: string;
  moral: string;
  artDirection: string;
  model: string;
  pages: readonly { text: string; scene: string }[];
}

export interface StoryText {
  id: string;
  title: string;
  language: string;
  artDirection: string;
  /** In order; numbers start at 1. */
  pages: readonly { number: number; text: string; scene: string }[];
}

/** A story with the parts that exist so far. */
export interface StoryParts {
  id: string;
  title: string;
  childName: string;
  pages: readonly { number: number }[];
  /** Page 0 is the cover. */
  images: readonly { page: number; url: string }[];
  narration: { audioUrl: string; captionsUrl: string } | null;
}

/** Writes a story and its pages, numbered from 1. */
export async function saveStory(tx: Tx, story: NewStory): Promise<void> {
  const { pages, ...row } = story;
  await tx.story.create({ data: row, select: { id: true } });
  await tx.page.createMany({
    data: pages.map(({ text, scene }, index) => ({ storyId: story.id, number: index + 1, text, scene })),
  });
}

/** What is spoken and drawn. No such story of this tenant is a `bad_input` Failure. */
export async function readStory(db: Db, tenant: string, id: string): Promise<StoryText> {
  const row = await db.prisma.story.findFirst({
    where: { id, tenant },
    select: {
      id: true,
      title: true,
      language: true,
      artDirection: true,
      pages: { select: { number: true, text: true, scene: true }, orderBy: { number: 'asc' } },
    },
  });
  return found(row, id);
}

/** What can be published. No such story of this tenant is a `bad_input` Failure. */
export async function readParts(db: Db, tenant: string, id: string): Promise<StoryParts> {
  const row = await db.prisma.story.findFirst({
    where: { id, tenant },
    select: {
      id: true,
      title: true,
      childName: true,
      pages: { select: { number: true }, orderBy: { number: 'asc' } },
      images: { select: { page: true, url: true } },
      narration: { select: { audioUrl: true, captionsUrl: true } },
    },
  });
  return found(row, id);
}

/** Marks a story published. The first moment stays when it is published again; `degraded` follows the last time. */
export async function publishStory(tx: Tx, id: string, degraded: boolean): Promise<void> {
  await tx.$executeRaw`
    UPDATE story SET degraded = ${degraded}, published_at = coalesce(published_at, clock_timestamp()) WHERE id = ${id}::uuid`;
}

function found<T>(row: T | null, id: string): T {
  if (row === null)
    throw new Failure(
      'bad_input',
      `story ${id} cannot be read: this tenant has no such story; check the storyId`,
    );
  return row;
}
