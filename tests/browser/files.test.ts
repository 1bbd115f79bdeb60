// What the links of a mail lead to, as the one who got the mail opens them: in a browser, each file by itself.
// Covers: sandbox/cloudinary-delivery.ts
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { createCloudinary } from '../../providers/cloudinary.ts';
import type { Asset, Upload } from '../../providers/ports.ts';
import { speak } from '../../sandbox/mp3-speak.ts';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { openRig, type Rig } from '../contracts/providers-rig.ts';
import { openBrowser } from '../support/browser.ts';

let rig: Rig;
let browser: Browser;
beforeAll(async () => {
  rig = await openRig('cloudinary');
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await rig.close();
});

function upload(file: Upload): Promise<Asset> {
  const baseUrl = `${rig.sandbox.url}/cloudinary`;
  const store = createCloudinary({
    ...sandboxKeys.cloudinary,
    baseUrl,
    guard: rig.guard,
    deadlineMs: 10_000,
  });
  return store.upload(file, rig.call(`browser:${file.publicId}`));
}

/** What the browser complains of while it opens the address, and the page. */
async function visit(url: string) {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') complaints.push(line.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** What is asked of the browser's element. */
interface Media {
  readyState: number;
  duration: number;
  addEventListener: (name: 'loadedmetadata', listener: () => void) => void;
}

test('a narration plays', async () => {
  const bytes = speak('Once there was a moon that could not sleep.', { kbps: 64, pitchHz: 200 });
  const publicId = 'stories/1/narration';
  const { url } = await upload({ bytes, publicId, type: 'video', contentType: 'audio/mpeg' });
  const { page, complaints } = await visit(url);
  const player = page.locator('video, audio');
  const seconds = await player.evaluate((media: Media) =>
    media.readyState > 0
      ? media.duration
      : new Promise<number>((resolve) => {
          media.addEventListener('loadedmetadata', () => resolve(media.duration));
        }),
  );
  expect(seconds).toBeGreaterThan(1);
  expect(complaints).toEqual([]);
  await page.close();
});

test('a picture is shown', async () => {
  const bytes = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#c06030' } })
    .png()
    .toBuffer();
  const { url } = await upload({
    bytes,
    publicId: 'stories/1/cover',
    type: 'image',
    contentType: 'image/png',
  });
  const { page, complaints } = await visit(url);
  const size = await page
    .locator('img')
    .evaluate((image: { naturalWidth: number; naturalHeight: number }) => [
      image.naturalWidth,
      image.naturalHeight,
    ]);
  expect(size).toEqual([64, 48]);
  expect(complaints).toEqual([]);
  await page.close();
});
