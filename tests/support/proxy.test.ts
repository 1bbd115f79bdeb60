// The proxy does to a connection exactly what it is told, and nothing else: rows of the fault table rest on it.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from './house.ts';
import { startProxy, type TestProxy } from './proxy.ts';

let echo: Server;
let proxy: TestProxy;
let got: string;
const sockets: Socket[] = [];
beforeEach(async () => {
  got = '';
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text: string) => {
      got += text;
      socket.write(text.toUpperCase());
    });
    socket.on('end', () => socket.end('.'));
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startProxy(`tcp://127.0.0.1:${(echo.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  echo.close();
});

interface Talk {
  socket: Socket;
  heard: () => string;
  /** The error code it ended with, `end` when it ended in order. */
  ending: Promise<string>;
}

async function talk(): Promise<Talk> {
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  sockets.push(socket);
  let heard = '';
  let code = 'end';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', (error: NodeJS.ErrnoException) => void (code = error.code ?? 'error'));
  const ending = new Promise<string>((resolve) => socket.once('close', () => resolve(code)));
  await once(socket, 'connect');
  return { socket, heard: () => heard, ending };
}

test('without a fault every byte arrives, and the end comes behind the last one', async () => {
  const { socket, heard, ending } = await talk();
  socket.end('x'.repeat(1_000_000));
  expect(await ending).toBe('end');
  expect(heard()).toBe(`${'X'.repeat(1_000_000)}.`);
  await eventually('nothing is left', () => proxy.connections() === 0);
});

test('bytes that are held go on later, in order; a delay on the way back lets the request through', async () => {
  const { socket, heard } = await talk();
  proxy.freeze();
  socket.write('a');
  socket.write('b');
  expect(heard()).toBe('');
  proxy.restore();
  await eventually('they arrive', () => heard() === 'AB');
  const start = performance.now();
  proxy.spoil({ how: 'delay', ms: 300 }, 'down');
  socket.write('c');
  await eventually('the request is there', () => got === 'abc');
  expect(performance.now() - start).toBeLessThan(290);
  await eventually('the answer, too', () => heard() === 'ABC');
  expect(performance.now() - start).toBeGreaterThan(290);
});

test('a black hole swallows one direction, and its connections are reset when it ends', async () => {
  const { socket, heard, ending } = await talk();
  proxy.spoil({ how: 'blackhole' }, 'down');
  socket.write('a');
  await eventually('the answer is swallowed', () => proxy.swallowed() === 1);
  expect(got).toBe('a');
  proxy.restore();
  expect([await ending, heard()]).toEqual(['ECONNRESET', '']);
});

test('a connection breaks after so many bytes, by reset, or at once and for all', async () => {
  proxy.spoil({ how: 'cutAfter', bytes: 3 }, 'down');
  const short = await talk();
  short.socket.write('abcdef');
  await short.ending;
  expect([short.heard(), got]).toEqual(['ABC', 'abcdef']);
  proxy.restore();
  const hard = await talk();
  hard.socket.write('x');
  await eventually('it is there', () => hard.heard() === 'X');
  proxy.reset();
  expect(await hard.ending).toBe('ECONNRESET');
  proxy.cut();
  const refused = connect(Number(new URL(proxy.url).port), '127.0.0.1').on('error', () => undefined);
  await once(refused, 'close');
  expect(refused.bytesRead).toBe(0);
});

test('answers are lost for the requests that are picked: done, and nobody was told', async () => {
  const lost = proxy.loseAnswers((request) => request.includes('lose'));
  const [first, second] = [await talk(), await talk()];
  first.socket.write('lose me');
  second.socket.write('keep me');
  await first.ending;
  await eventually('the other has its answer', () => second.heard() === 'KEEP ME');
  expect([first.heard(), lost()]).toEqual(['', 1]);
  expect(got).toContain('lose me');
});
