// A real Chromium, as a test uses it: headless, and silent towards everybody but the page that is opened.
import { chromium, type Browser } from 'playwright-core';
import { find, programs } from '../../scripts/programs.mjs';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP *.test 127.0.0.1', // an address that is not the loopback's: browsers trust that one more
];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: find(...programs.chromium) ?? 'chromium', args });
}
