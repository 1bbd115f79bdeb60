// The mail adapter with the real nodemailer against the sandbox's SMTP server: one recipient, and a fate that is known or said to be unknown.
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Fault } from '../../sandbox/faults.ts';
import type { Mail } from '../../providers/ports.ts';
import { toStorableJson } from '../../shared/text.ts';
import { createSmtp, type SmtpOptions } from '../../providers/smtp.ts';
import { until } from '../providers/vendor.ts';
import { expectCharged, failureOf, openRig, type Rig } from './providers-rig.ts';

const mail: Mail = {
  to: 'mia@example.test',
  subject: 'Your story is ready',
  html: '<p>Mia &amp; the sea</p>',
  text: 'Mia & the sea',
  messageId: 'job-1.send@storytime.example',
};
const open: { close: () => void }[] = [];
let rig: Rig;

function smtp(more: Partial<SmtpOptions> = {}) {
  const from = 'Storytime <stories@storytime.example>';
  const made = createSmtp({
    url: rig.sandbox.smtpUrl,
    tls: false,
    from,
    guard: rig.guard,
    deadlineMs: 2_000,
    ...more,
  });
  open.push(made);
  return made;
}

/** Raw mails of the mailbox that carry the text. */
async function received(text: string): Promise<string[]> {
  const folder = join(rig.dataDir, 'mail');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.eml'));
  const mails = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return mails.filter((raw) => raw.includes(text));
}

beforeAll(async () => {
  rig = await openRig('smtp');
});
afterEach(() => {
  for (const made of open.splice(0)) made.close();
});
afterAll(() => rig.close());

test('a mail arrives at its one recipient with its own Message-ID and step, and is charged once', async () => {
  const call = rig.call('job-1:send');
  const sent = await smtp().send(mail, call);
  expect(sent.messageId).toBe(mail.messageId);
  expect(sent.response).toMatch(/^250/);
  const [raw = '', ...others] = await received(mail.messageId);
  expect(others).toEqual([]);
  expect(raw).toMatch(/^Return-Path: <stories@storytime\.example>\r\nDelivered-To: mia@example\.test\r\n/);
  expect(raw).toContain('Message-ID: <job-1.send@storytime.example>');
  expect(raw.toLowerCase()).toContain('x-storytime-step: job-1:send');
  await expectCharged(rig, call, { message: 'messages' });
});

test('no address can add a recipient, and no content can read a file', async () => {
  const evil = [
    'b@x.test\r\nBcc: e@e.test',
    'a@x.test, b@x.test',
    'a@x.test;b@x.test',
    'g: a@x.test, b@x.test;',
    '"x" <a@x.test>',
  ];
  for (const [index, to] of evil.entries()) {
    const call = rig.call(`job-2:send-${index}`);
    expect(await failureOf(smtp().send({ ...mail, to }, call))).toMatchObject({ code: 'bad_input' });
    expect(await rig.bill(call.step)).toEqual([]);
  }
  const subject = 'Hello\r\nBcc: e@e.test\r\n\r\nsubject-trick';
  const call = rig.call('job-2:subject');
  await smtp().send({ ...mail, subject }, call);
  const [raw = ''] = await received('subject-trick');
  expect(raw).not.toMatch(/^Bcc:/im);
  const file = { ...mail, html: { path: '/etc/hostname' } as unknown as string };
  expect(await failureOf(smtp().send(file, rig.call('job-2:file')))).toMatchObject({ code: 'bad_input' });
});

const at = (moment: 'greeting' | 'mail' | 'rcpt' | 'data', code: number, drop?: boolean): Fault => ({
  kind: 'smtp',
  at: moment,
  code,
  ...(drop === undefined ? {} : { drop }),
});

test('every refusal has its code and is tried as often as is safe', async () => {
  const cases: [string, Fault, string, number][] = [
    ['greeting', at('greeting', 421), 'unavailable', 3],
    ['mail', at('mail', 451), 'rate_limited', 1],
    ['mail', at('mail', 550), 'auth', 1],
    ['mail', at('mail', 530), 'auth', 1],
    ['mail', at('mail', 552), 'bad_input', 1],
    ['mail', { kind: 'reset', billed: false }, 'unavailable', 3],
    ['rcpt', at('rcpt', 450), 'rate_limited', 1],
    ['rcpt', at('rcpt', 550), 'bad_input', 1],
    ['data', at('data', 452), 'rate_limited', 1],
    ['data', at('data', 554), 'bad_input', 1],
    ['data', { kind: 'reset', billed: false }, 'unknown_outcome', 1],
    ['data', { kind: 'reset', billed: true }, 'unknown_outcome', 1],
  ];
  const seen: unknown[] = [];
  for (const [index, [moment, fault, , attempts]] of cases.entries()) {
    await rig.fault(moment, fault, attempts);
    rig.outcomes();
    const failure = await failureOf(smtp().send(mail, rig.call(`job-3:send-${index}`)));
    seen.push([moment, fault, failure.code, rig.outcomes().length]);
  }
  expect(seen).toEqual(cases);
});

test('a deadline before the mail began is a timeout that is tried again; after it the fate is unknown', async () => {
  await rig.fault('mail', { kind: 'hang' }, 1);
  const call = rig.call('job-4:send');
  await smtp({ deadlineMs: 400 }).send({ ...mail, messageId: 'job-4@storytime.example' }, call);
  expect(await received('job-4@storytime.example')).toHaveLength(1);
  await rig.fault('data', { kind: 'hang' }, 1);
  const late = smtp({ deadlineMs: 400 }).send(mail, rig.call('job-5:send'));
  expect(await failureOf(late)).toMatchObject({ code: 'unknown_outcome' });
});

test('a wrong password is auth, a server that is away is unavailable, a ping sees both', async () => {
  const wrong = new URL(rig.sandbox.smtpUrl);
  wrong.password = 'wrong';
  const { signal } = new AbortController();
  expect(await failureOf(smtp({ url: wrong.href }).send(mail, rig.call('job-6:send')))).toMatchObject({
    code: 'auth',
  });
  await smtp().ping(signal);
  expect(await failureOf(smtp({ url: wrong.href }).ping(signal))).toMatchObject({ code: 'auth' });
  const away = smtp({ url: 'smtp://u:p@127.0.0.1:1' });
  expect(await failureOf(away.send(mail, rig.call('job-7:send')))).toMatchObject({ code: 'unavailable' });
  expect(await failureOf(away.ping(signal))).toMatchObject({ code: 'unavailable' });
});

test('a password is never sent to a server that cannot do TLS, unless it is the sandbox', async () => {
  const strict = smtp({ tls: true });
  expect((await failureOf(strict.send(mail, rig.call('job-8:send')))).code).toBe('unavailable');
  expect(await rig.bill('job-8:send')).toEqual([]);
});

/** Sends a mail to a server that says `begin` and then `more` for ever; resolves with the failure and the bytes that went out. */
async function flood(begin: string, more: string): Promise<{ code: string; bytes: number }> {
  const chunk = more.repeat(65_536 / more.length);
  const sent: number[] = [];
  const server = createServer((socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk)) if (socket.bytesWritten > 256e6) socket.destroy();
    };
    socket.on('error', () => undefined).on('drain', pour);
    socket.on('close', () => void sent.push(socket.bytesWritten - socket.writableLength));
    socket.resume().write(begin);
    pour();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const { code } = await failureOf(smtp({ url, deadlineMs: 10_000 }).send(mail, rig.call('job-9:send')));
    // Nothing of the reply is worked on any more: this used to keep the process busy for minutes.
    await until(() => !process.getActiveResourcesInfo().includes('Immediate'));
    return { code, bytes: Math.max(...sent) };
  } finally {
    server.close();
  }
}

test.each([
  ['a line that never ends', '220 a', 'a'],
  ['a reply of lines that never end', '', '220-and more\r\n   '],
  ['empty lines', '220 hello\r\n', '\r\n'],
])(
  'a server whose reply is %s is left after a few megabytes',
  async (_, begin, more) => {
    const { code, bytes } = await flood(begin, more);
    expect(code).toBe('unavailable');
    expect(bytes).toBeLessThan(16e6); // what the kernel holds of it is not ours
  },
  60_000,
);

test('a long last reply of a server that took the mail leaves a result that can be stored', async () => {
  const replies = [
    '250 hello\r\n',
    '250 ok\r\n',
    '250 ok\r\n',
    '354 go on\r\n',
    `250 ${'\u0000\u0001'.repeat(15_000)}\r\n`,
  ];
  const server = createServer((socket) => {
    socket.on('error', () => undefined).write('220 hello\r\n');
    let heard = '';
    socket.setEncoding('latin1').on('data', (words: string) => {
      heard += words;
      // One reply a command, and one at the end of the mail.
      if (heard.endsWith(replies.length === 1 ? '\r\n.\r\n' : '\r\n'))
        socket.write(replies.shift() ?? '250 ok\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const sent = await smtp({ url }).send(mail, rig.call('job-10:send'));
    expect(sent.response).toMatch(/^250 \uFFFD\u0001/);
    expect(Buffer.byteLength(toStorableJson(sent))).toBeLessThan(4_000);
  } finally {
    server.close();
  }
});
