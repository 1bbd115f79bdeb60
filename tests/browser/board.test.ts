// The dashboard in a real Chromium: an operator signs in, sees the queues, and the browser has nothing to complain about.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openDashboard, queueNames, type DashboardWorld } from '../dashboard/world.ts';
import { addJob, setJob } from '../ledger/world.ts';
import { openBrowser } from '../support/browser.ts';

let world: DashboardWorld;
let browser: Browser;
beforeAll(async () => {
  world = await openDashboard();
  await world.broker.boardQueues();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

/** A page that keeps every complaint of the console and every request that leaves the dashboard. */
async function openPage(width: number): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const complaints: string[] = [];
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') complaints.push(line.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(world.url) && !url.startsWith('data:')) complaints.push(`outside: ${url}`);
  });
  return { page, complaints };
}

async function signIn(page: Page, path: string, url = world.url): Promise<void> {
  await page.goto(url + path);
  await page.getByLabel('Paste a key').fill(world.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(url + path);
}

test('an operator signs in and out over plain http on an address that is not the loopback', async () => {
  const url = world.url.replace('127.0.0.1', 'operations.test');
  const { page } = await openPage(1280);
  await signIn(page, '/ops', url);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${url}/login`);
  await page.close();
});

test('an operator signs in and sees the queues on both pages; nothing is asked of another host', async () => {
  await addJob(world.ledger);
  const data = { jobId: 'j', generation: 1, attempt: '1/5', tenant: 'acme', summary: 'welcome' };
  await world.broker.add('email', [{ kind: 'send-email', priority: 5, delayMs: 0, data }]);
  const { page, complaints } = await openPage(1280);
  await signIn(page, '/ops');
  for (const name of queueNames) await page.getByRole('link', { name, exact: true }).waitFor();

  await page.goto(`${world.url}/board/`);
  await page.getByText('Loading').waitFor({ state: 'detached' });
  for (const name of queueNames) await page.getByRole('link', { name }).first().waitFor();

  await page.goto(`${world.url}/board/queue/email?status=prioritized`);
  await page.getByText('send-email').first().waitFor();
  expect(await page.getByRole('button', { name: /add|pause|retry|empty|obliterate/i }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.close();
});

test.each([
  ['a phone', 375],
  ['half a desk', 870],
  ['a desk', 1280],
])('on %s the operations page needs no sideways scrolling, with jobs parked', async (_, width) => {
  const id = await addJob(world.ledger);
  await setJob(world.ledger, id, `state = 'parked', parked_for = 'build'`);
  const { page, complaints } = await openPage(width);
  await signIn(page, '/ops');
  await page.getByRole('heading', { name: 'parked (no running build knows' }).waitFor();
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(overflow).toBe(0);
  expect(complaints).toEqual([]);
  await page.close();
});
