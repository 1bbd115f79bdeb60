// Covers: sandbox/emulators.ts, sandbox/known-host.ts
import { test, expect } from '@jest/globals';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { rm } from 'node:fs/promises';
import { isKnownHost } from '../../sandbox/known-host.ts';
import { startSandbox } from '../../sandbox/server.ts';
import { openSandbox, readBill, sandboxKeys, setFault, withSandbox } from './world.ts';

const write = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/gemini/v1beta/models/gemini-3.8-flash:generateContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': sandboxKeys.gemini, 'x-storytime-step': 'job-1:write' },
    body: JSON.stringify({ contents: [{ parts: [{ text: 'Hello' }] }] }),
    ...init,
  });

test('a charged request is on the bill under its step, with the id that its answer carries, and stays there', async () => {
  const first = await openSandbox();
  const { responseId } = (await (await write(first.url)).json()) as { responseId: string };
  await first.close();
  const second = await openSandbox(first.dataDir);
  const line = {
    provider: 'gemini',
    operation: 'generate-text',
    step: 'job-1:write',
    status: 200,
    requestId: responseId,
  };
  expect(await readBill(second, '?provider=gemini&step=job-1:write')).toEqual([
    expect.objectContaining(line),
  ]);
  expect(await readBill(second, '?provider=deepgram')).toEqual([]);
  await second.close();
  await rm(first.dataDir, { recursive: true });
});

test('close ends hanging and delayed requests at once', async () => {
  const sandbox = await openSandbox();
  await setFault(sandbox, { provider: 'gemini', times: 1, fault: { kind: 'hang' } });
  await setFault(sandbox, { provider: 'gemini', times: 1, fault: { kind: 'delay', ms: 600_000 } });
  const lost = Promise.allSettled([write(sandbox.url), write(sandbox.url)]);
  const used = async (): Promise<number> => {
    const listed = (await (await fetch(`${sandbox.url}/_sandbox/faults`)).json()) as {
      faults: { used: number }[];
    };
    return listed.faults.filter((fault) => fault.used === 1).length;
  };
  while ((await used()) < 2);
  await sandbox.close();
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await rm(sandbox.dataDir, { recursive: true });
});

test('the front page shows what was charged and runs nothing', () =>
  withSandbox(async (sandbox) => {
    await (await write(sandbox.url)).text();
    const page = await fetch(sandbox.url);
    expect(await page.text()).toContain('<td>gemini generate-text</td><td>1</td>');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await fetch(`${sandbox.url}/nothing`)).status).toBe(404);
  }));

test(
  'a body over the limit is refused, and the next request is served',
  () =>
    withSandbox(async (sandbox) => {
      const body = Buffer.alloc(121 * 1024 * 1024);
      const big = await write(sandbox.url, { body }).then(
        (answer) => answer.status,
        () => 413, // The server hangs up while the caller is still sending.
      );
      expect(big).toBe(413);
      expect((await write(sandbox.url)).status).toBe(200);
    }),
  60_000,
);

test('a port that is taken rejects the start and leaves nothing listening', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => other.once('listening', done));
  const { port } = other.address() as AddressInfo;
  await expect(startSandbox({ dataDir: '/nowhere', port, keys: sandboxKeys })).rejects.toThrow(/EADDRINUSE/);
  await new Promise((done) => other.close(done));
});

test('the mailbox and the switches are shown to no name that somebody else pointed here', () =>
  withSandbox(async ({ url }) => {
    const statusFor = (path: string, host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        get(`${url}${path}`, { headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).on('error', reject);
      });
    for (const path of ['/', '/mailbox', '/mailbox.json', '/_sandbox/faults'])
      expect(await statusFor(path, 'rebound.example:4002')).toBe(403);
    for (const host of ['localhost:4002', 'LOCALHOST', '127.0.0.1', '[::1]:4002', '192.0.2.1'])
      expect(await statusFor('/mailbox.json', host)).toBe(200);
  }));

test('a sandbox is asked by the name that others reach it by', () => {
  expect(isKnownHost('sandbox:4002', ['127.0.0.1', 'Sandbox'])).toBe(true);
  for (const header of [undefined, '', 'sandbox.example', 'localhost.example', 'a b'])
    expect(isKnownHost(header, ['sandbox'])).toBe(false);
});
