// The log of a real process: nothing is lost at its end, and a reader that is gone does not keep it from ending.
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const log = fileURLToPath(new URL('../../shared/log.ts', import.meta.url));

function start(
  body: string,
  stdout: 'pipe' | number = 'pipe',
  stderr: 'pipe' | 'inherit' = 'inherit',
): ReturnType<typeof spawn> {
  const script = `import { createLog } from ${JSON.stringify(log)}; const log = createLog({ level: 'info', part: 'api' });${body}`;
  const args = ['--import', tsx, '--input-type=module', '--eval', script];
  return spawn(process.execPath, args, { stdio: ['pipe', stdout, stderr] });
}

test('every line that was logged before the end is written, one JSON document a line', async () => {
  const child = start(`for (let n = 0; n < 500; n += 1) log.info({ n }, 'line\\nof two'); process.exit(0);`);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  const lines = output.trimEnd().split('\n');
  expect(lines).toHaveLength(500);
  expect(JSON.parse(lines[499] ?? '')).toMatchObject({
    level: 'info',
    part: 'api',
    n: 499,
    message: 'line\nof two',
  });
});

test('a process whose log nobody reads any more still ends', async () => {
  const child = start(
    `process.stdin.resume().on('end', () => { log.info('the last line'); process.exit(7); });`,
  );
  child.stdout?.destroy();
  child.stdin?.end();
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(7);
});

test('a log whose reader stands still fills no memory, and says how many lines were lost when it reads again', async () => {
  const body = `const line = 'x'.repeat(5_000);
    for (let n = 0; n < 4_000; n += 1) log.info({ n }, line);
    setTimeout(() => process.stderr.write(String(process.stdout.writableLength)), 500);
    setTimeout(() => process.stdin.resume().on('end', () => process.exit(0)), 600);`;
  const child = start(body, 'pipe', 'pipe');
  const [waiting] = (await once(child.stderr ?? child, 'data')) as [Buffer];
  expect(Number(waiting)).toBeGreaterThan(1_000_000); // it was not read
  expect(Number(waiting)).toBeLessThan(5_000_000);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.includes('were lost')) child.stdin?.end();
  });
  await once(child, 'close');
  const lines = output.split('\n').filter((line) => line !== '');
  const told = lines.map((line) => JSON.parse(line) as { n?: number; lost?: number });
  const lost = told.find((line) => line.lost !== undefined)?.lost ?? 0;
  expect(lost + told.filter(({ n }) => n !== undefined).length).toBe(4_000);
});

test('a process whose log is on a full disk works on and ends as it wants', async () => {
  const full = openSync('/dev/full', 'w');
  const body = `log.info('lost'); setTimeout(() => { log.info('lost too'); process.stdin.resume().on('end', () => process.exit(7)); }, 600);`;
  const child = start(body, full);
  closeSync(full);
  child.stdin?.end();
  expect(await once(child, 'exit')).toEqual([7, null]);
});

test('what is told of a gate is told by its name, and a refused key by that of its provider', async () => {
  const events = pathToFileURL(fileURLToPath(new URL('../../shared/events.ts', import.meta.url))).href;
  const child = start(`const { createEvents } = await import(${JSON.stringify(events)});
    const { logEvents } = await import(${JSON.stringify(log)});
    const { on, emit } = createEvents();
    logEvents({ on, emit }, log);
    const one = { provider: 'gemini', gate: 'gemini-pictures' };
    emit('provider.gate', { ...one, state: 'closed', reason: 'quota_exhausted' });
    emit('provider.breaker', { ...one, state: 'open' });
    for (const reason of ['quota_exhausted', 'auth']) emit('provider.alert', { ...one, reason });`);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  const lines = output.trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message.split(';')[0])).toEqual([
    'gemini-pictures: gate closed, quota_exhausted',
    'gemini-pictures: breaker open',
    'gemini-pictures: the quota is used up',
    'gemini: the key is refused',
  ]);
});
