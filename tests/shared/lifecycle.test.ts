import { expect, test } from '@jest/globals';
import { createEvents } from '../../shared/events.ts';
import { createLifecycle, type Lifecycle } from '../../shared/lifecycle.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';

interface Watched {
  lifecycle: Lifecycle;
  told: string[];
  exited: Promise<number>;
}

function open(deadlineMs = 60_000, partMs = 60_000): Watched {
  const { emit, on } = createEvents();
  const told: string[] = [];
  on('notice', ({ message }) => void told.push(message));
  const code: { exit?: (code: number) => void } = {};
  const exited = new Promise<number>((resolve) => (code.exit = resolve));
  return {
    lifecycle: createLifecycle({ emit, deadlineMs, partMs, exit: (given) => code.exit?.(given) }),
    told,
    exited,
  };
}

test('parts are stopped in the reverse order of their start, once, and one that fails does not keep the others', async () => {
  const { lifecycle, told, exited } = open();
  const stopped: string[] = [];
  lifecycle.onStop('ledger', () => void stopped.push('ledger'));
  lifecycle.onStop('engine', () => Promise.reject(new Error('stuck')));
  lifecycle.onStop('api', async () => {
    await Promise.resolve();
    stopped.push('api');
  });
  expect(lifecycle.stopping).toBe(false);
  await Promise.all([lifecycle.stop('first'), lifecycle.stop('second')]);
  expect(stopped).toEqual(['api', 'ledger']);
  expect([await exited, lifecycle.stopping]).toEqual([0, true]);
  expect(told).toEqual(['stopping: first', 'engine did not stop cleanly: stuck']);
});

test('a part that hangs is left behind at the deadline', async () => {
  const { lifecycle, told, exited } = open(30);
  lifecycle.onStop('hung', () => new Promise(() => undefined));
  void lifecycle.stop('SIGTERM');
  expect(await exited).toBe(0);
  expect(told.at(-1)).toContain('more than 30 ms');
});

test('a part that takes longer than its share is left behind, and those after it are stopped all the same', async () => {
  const { lifecycle, told, exited } = open(60_000, 30);
  const stopped: string[] = [];
  lifecycle.onStop('ledger', () => void stopped.push('ledger'));
  lifecycle.onStop('engine', () => new Promise(() => undefined));
  lifecycle.onStop('jobs', () => new Promise((resolve) => setTimeout(resolve, 60)), 5_000);
  void lifecycle.stop('three handlers hang', 1);
  expect([await exited, stopped]).toEqual([1, ['ledger']]);
  expect(told.at(-1)).toBe('engine did not stop cleanly: it took more than 30 ms');
});

const program = `
import { createLifecycle, stopOnSignals } from './shared/lifecycle.ts';
const lifecycle = createLifecycle({ emit: () => undefined, deadlineMs: 20_000, partMs: 20_000, exit: (code) => process.exit(code) });
lifecycle.onStop('part', () => {
  console.log('stopping');
  if (process.argv[1] === 'slow') return new Promise((resolve) => setTimeout(resolve, 300));
  return process.argv[1] === 'hang' ? new Promise(() => undefined) : undefined;
});
stopOnSignals(lifecycle);
setInterval(() => undefined, 1_000);
console.log('ready');`;

function start(mode: string): TestProcess {
  return startProcess(['--import', 'tsx', '--input-type=module', '--eval', program, mode]);
}

test('a signal stops a process in order, and a second one ends it at once', async () => {
  const [calm, hung] = [start('calm'), start('hang')];
  await Promise.all([calm.says('ready'), hung.says('ready')]);
  expect(await calm.end('SIGTERM')).toBe(0);
  hung.child.kill('SIGTERM');
  await hung.says('stopping');
  expect(await hung.end('SIGINT')).toBe(130);
});

test('one Ctrl-C that npm and the terminal both tell of is one signal', async () => {
  const slow = start('slow');
  await slow.says('ready');
  slow.child.kill('SIGINT');
  await slow.says('stopping');
  expect(await slow.end('SIGINT')).toBe(0);
});
