// Signed links to artifacts: whoever holds one may read that artifact until it expires, without a key. And names of files that are
// open to all, which nobody can guess.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What is appended to an artifact's address. `expires` is in seconds since 1970. */
export interface LinkParameters {
  expires: string;
  signature: string;
}

/** Path and query of a link: put the API's public address in front. */
export function signLink(secret: string, link: { id: string; expiresAt: Date }): string {
  const expires = String(Math.floor(link.expiresAt.getTime() / 1_000));
  return `/v1/artifacts/${link.id}?expires=${expires}&signature=${signatureOf(secret, link.id, expires)}`;
}

export interface LinkMaker {
  secret: string;
  /** Address of the API as users see it. */
  publicUrl: string;
  /** The ledger's clock, by which the API judges the links. */
  now: () => Promise<number>;
}

/** Makes whole links, each good for so many days from now. */
export function createLinks({ secret, publicUrl, now }: LinkMaker) {
  return async (id: string, days: number): Promise<string> => {
    const expiresAt = new Date((await now()) + days * 86_400_000);
    return publicUrl + signLink(secret, { id, expiresAt });
  };
}

/** Whether the link was made by us for this artifact and is still good. */
export function verifyLink(secret: string, id: string, given: LinkParameters, nowMs: number): boolean {
  const expected = Buffer.from(signatureOf(secret, id, given.expires));
  const actual = Buffer.from(given.signature);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return false;
  return /^\d{1,12}$/.test(given.expires) && Number(given.expires) * 1_000 > nowMs;
}

/**
 * Where the files of a story lie, open to whoever knows their address: the id stands in logs and on boards, the rest nobody can work
 * out. The same for every try, so that a repeated upload overwrites.
 */
export function storyFolder(secret: string, storyId: string): string {
  const hidden = createHmac('sha256', secret).update(`story:${storyId}`).digest('hex').slice(0, 32);
  return `stories/${storyId}/${hidden}`;
}

/** The id is lower-cased: UUIDs are compared without case. */
function signatureOf(secret: string, id: string, expires: string): string {
  return createHmac('sha256', secret).update(`artifact:${id.toLowerCase()}:${expires}`).digest('base64url');
}
