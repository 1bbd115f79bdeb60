// Covers: providers/smtp-socket.ts
// The mail adapter over TLS, in a process that trusts the test's certificate: a password goes over it, and a flood inside it ends.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect, test } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import getTLSOptions from 'smtp-server/lib/tls-options.js';
import { startProcess } from '../support/processes.ts';

/** What the mailer says of the server at the url. */
async function mail(url: string): Promise<string> {
  const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };
  const { child, output } = startProcess(['--import', 'tsx', 'tests/support/mailer.ts', url], { env });
  await once(child, 'close');
  return output();
}

test.each([
  ['smtp', 'STARTTLS', false],
  ['smtps', 'TLS from the start', true],
])('%s: a mail and its password go over %s', async (protocol, _, secure) => {
  const seen: unknown[] = [];
  const server = new SMTPServer({
    ...getTLSOptions(),
    secure,
    onAuth({ username, password }, session, done) {
      seen.push([username, password, session.secure]);
      done(null, { user: username });
    },
    onData(stream, { secure: inside, envelope }, done) {
      seen.push([inside, envelope.rcptTo.map(({ address }) => address)]);
      stream.resume().once('end', () => done());
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  try {
    expect(await mail(`${protocol}://mia:secret@localhost:${port}`)).toMatch(/^250 /);
  } finally {
    await new Promise<void>((done) => server.close(done));
  }
  expect(seen).toEqual([
    ['mia', 'secret', true],
    [true, ['mia@example.test']],
  ]);
});

test('a server that says empty lines for ever inside TLS is left, and nothing of them is worked on', async () => {
  const server = createServer(getTLSOptions(), (socket) => {
    const lines = '\r\n'.repeat(8_192);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(lines));
    };
    socket.on('error', () => undefined).on('drain', pour);
    socket.resume().write('220 hello\r\n');
    pour();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const said = await mail(`smtps://mia:secret@localhost:${port}`);
  server.close();
  expect(said).toMatch(/^unavailable: /);
});
