import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test, expect } from '@jest/globals';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import type { Sandbox } from '../../sandbox/server.ts';
import { readBill, sandboxKeys, setFault, withSandbox } from './world.ts';

interface Talk {
  name: string;
  lines: { send?: string; expect: string }[];
}
const { talks } = JSON.parse(readFileSync(new URL('golden/smtp.json', import.meta.url), 'utf8')) as {
  talks: Talk[];
};

const { user, password } = sandboxKeys.smtp;
const plain = (pass: string): string => Buffer.from(`\0${user}\0${pass}`).toString('base64');

const transport = (sandbox: Sandbox, pass: string = password): Transporter =>
  createTransport({
    host: '127.0.0.1',
    port: sandbox.smtpPort,
    auth: { user, pass },
    socketTimeout: 2_000,
    ignoreTLS: true,
  });

const mail: SendMailOptions = {
  from: 'Storytime <stories@storytime.test>',
  to: ['ida@family.test', 'tom@family.test'],
  subject: 'Your story is ready 🌙',
  text: 'Read it soon.',
  html: '<p>Read it <b>soon</b>.</p>',
  messageId: '<job-1@storytime.test>',
  headers: { 'x-storytime-step': 'job-1:send' },
};

const mailsOf = async (sandbox: Sandbox, query = ''): Promise<{ messageId: string; to: string[] }[]> => {
  const answer = await fetch(`${sandbox.url}/mailbox.json${query}`);
  return ((await answer.json()) as { mails: { messageId: string; to: string[] }[] }).mails;
};

test('every golden talk goes as the standards say', () =>
  withSandbox(async (sandbox) => {
    for (const { name, lines } of talks) {
      const socket = connect(sandbox.smtpPort, '127.0.0.1');
      const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
      for (const line of lines) {
        const text = line.send?.replace(/<login:(.+)>/, (_, pass: string) =>
          plain(pass.replace('right', password)),
        );
        if (text !== undefined) socket.write(`${text}\r\n`);
        let reply = '';
        do reply = String((await replies.next()).value);
        while (/^\d{3}-/.test(reply));
        expect([name, reply]).toEqual([name, expect.stringMatching(new RegExp(line.expect))]);
      }
      socket.destroy();
      await once(socket, 'close');
    }
  }));

test('an accepted mail is kept, and billed once with its step', () =>
  withSandbox(async (sandbox) => {
    const info = await transport(sandbox).sendMail(mail);
    expect(info.accepted).toEqual(mail.to);
    expect(await mailsOf(sandbox, '?to=tom@family.test')).toMatchObject([
      { messageId: mail.messageId, to: mail.to },
    ]);
    expect(await mailsOf(sandbox, '?to=nobody@family.test')).toEqual([]);
    expect(await readBill(sandbox)).toMatchObject([
      {
        provider: 'smtp',
        operation: 'send',
        step: 'job-1:send',
        status: 250,
        note: mail.messageId,
        units: { messages: 1, recipients: 2 },
      },
    ]);
  }));

test('a wrong password is refused for good, and an idle sandbox verifies a right one', () =>
  withSandbox(async (sandbox) => {
    await expect(transport(sandbox, 'wrong').verify()).rejects.toMatchObject({
      code: 'EAUTH',
      responseCode: 535,
    });
    expect(await transport(sandbox).verify()).toBe(true);
  }));

test.each([
  ['greeting', 421, { code: 'EPROTOCOL' }],
  ['mail', 451, { responseCode: 451 }],
  ['rcpt', 550, { code: 'EENVELOPE', responseCode: 550 }],
  ['data', 554, { responseCode: 554 }],
])('a fault at %s is answered with its code, and nothing is billed', (at, code, wanted) =>
  withSandbox(async (sandbox) => {
    await setFault(sandbox, { provider: 'smtp', times: 2, fault: { kind: 'smtp', code, at } });
    await expect(transport(sandbox).sendMail(mail)).rejects.toMatchObject(wanted);
    expect(await readBill(sandbox)).toEqual([]);
  }),
);

test('a connection dropped after DATA has taken the mail: it is kept and billed, and the sender does not know', () =>
  withSandbox(async (sandbox) => {
    await setFault(sandbox, {
      provider: 'smtp',
      match: 'job-1',
      times: 1,
      fault: { kind: 'smtp', code: 451, at: 'data', drop: true },
    });
    await expect(transport(sandbox).sendMail(mail)).rejects.toThrow();
    expect(await readBill(sandbox)).toHaveLength(1);
    expect(await mailsOf(sandbox)).toHaveLength(1);
  }));

test('a mail over the size limit is refused and not kept', () =>
  withSandbox(async (sandbox) => {
    const large = { ...mail, text: 'a'.repeat(26 * 1024 * 1024) };
    await expect(transport(sandbox).sendMail(large)).rejects.toMatchObject({ responseCode: 552 });
    expect(await mailsOf(sandbox)).toEqual([]);
  }));
