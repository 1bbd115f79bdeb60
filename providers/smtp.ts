// SMTP: sends one mail to one recipient. The only file that knows nodemailer.
// The envelope is compared with the one that was asked for before anything is sent, so no address in a name or a
// subject can add a recipient; whether the message itself began to leave is watched, because then its fate is unknown.
import type { Readable } from 'node:stream';
import { domainToASCII } from 'node:url';
import { sanitiseText } from '../shared/text.ts';
import { toFailure } from './failure.ts';
import type { Guard } from './guard.ts';
import { lazily } from './lazy.ts';
import type { Mail, Smtp } from './ports.ts';
import { diagnoseSmtp } from './smtp-errors.ts';
import { openSocket } from './smtp-socket.ts';

export interface SmtpOptions {
  /** `smtp://user:password@host:587`, or `smtps://` for TLS from the start. */
  url: string;
  /** `Name <address>` */
  from: string;
  /** False where the server cannot do TLS (the sandbox); otherwise a password is never sent in the clear. */
  tls?: boolean;
  guard: Guard;
  /** Milliseconds one attempt may take; default 30 s. */
  deadlineMs?: number;
}

/** Characters of a server's last reply: a job's result has a limit, and the mail is sent. */
const mostKept = 500;

/** What a mail carries through nodemailer to the check below, which sees nodemailer's copy of its fields. */
interface Watch {
  to: string;
  stream?: Readable;
}
interface MailInside {
  data: object;
  message: { getEnvelope: () => { to: unknown }; createReadStream: (options?: object) => Readable };
}

function transportOf(options: SmtpOptions) {
  const { protocol, hostname, port, username, password } = new URL(options.url);
  const secure = protocol === 'smtps:';
  const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  const tls = options.tls ?? true;
  return {
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    ...(username === '' ? {} : { auth }),
    ignoreTLS: !tls,
    requireTLS: tls && !secure && username !== '',
    pool: true as const,
    maxConnections: 5,
    maxMessages: 100,
    rateLimit: 5,
    rateDelta: 1_000,
    // A lost session is retried by the guard, which knows whether the message had begun.
    maxRequeues: 0,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 60_000,
    dnsTimeout: 5_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    maxRecipients: 1,
    getSocket: openSocket,
  };
}

/** An address with its domain as it goes over the wire: `a@Müller.example` -> `a@xn--mller-kva.example`. */
function plain(address: unknown): string {
  const [, local = '', domain = ''] = /^(.*)@([^@]*)$/s.exec(String(address)) ?? [];
  return `${local}@${domainToASCII(domain)}`;
}

/** Runs after the message is composed and before it is sent. */
function check(mail: MailInside, done: (error?: Error) => void): void {
  const watch = (mail.data as { storytimeWatch?: Watch }).storytimeWatch;
  const recipients: unknown[] = [mail.message.getEnvelope().to].flat();
  const wanted = plain(watch?.to);
  if (
    watch === undefined ||
    wanted.endsWith('@') ||
    recipients.length !== 1 ||
    plain(recipients[0]) !== wanted
  ) {
    done(Object.assign(new Error('the envelope is not the one asked for'), { code: 'EENVELOPE' }));
    return;
  }
  const open = mail.message.createReadStream.bind(mail.message);
  mail.message.createReadStream = (settings) => (watch.stream = open(settings));
  done();
}

async function load(options: SmtpOptions) {
  const { createTransport } = await import('nodemailer');
  const transporter = createTransport(transportOf(options));
  transporter.use('stream', (mail, done) => {
    check(mail, done);
  });
  return transporter;
}
type Mailer = Awaited<ReturnType<typeof load>>;

function messageOf(mail: Mail, from: string, step: string) {
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;
  return {
    from,
    to: { name: '', address: mail.to },
    envelope: { from: address, to: mail.to },
    subject: mail.subject,
    html: mail.html,
    text: mail.text,
    messageId: `<${mail.messageId}>`,
    headers: { 'x-storytime-step': step },
    xMailer: false as const,
  };
}

/** Port plus the end of its connections. */
export function createSmtp(options: SmtpOptions): Smtp & { close: () => void } {
  const { guard } = options;
  let opened: Mailer | undefined;
  const client = lazily('smtp', async () => (opened = await load(options)));
  return {
    async send(mail, call) {
      const transporter = await client();
      let watch: Watch = { to: mail.to };
      const begun = () => watch.stream?.readableDidRead === true;
      const attempt = {
        call,
        deadlineMs: options.deadlineMs ?? 30_000,
        paid: begun,
        translate: diagnoseSmtp,
      };
      return guard.run('send', attempt, async ({ signal }) => {
        watch = { to: mail.to };
        const message = { ...messageOf(mail, options.from, call.step), storytimeWatch: watch, signal };
        const info = await transporter.sendMail(message);
        if (info.accepted.length !== 1) {
          throw toFailure({ provider: 'smtp', operation: 'send' }, { code: 'bad_input', why: 'EENVELOPE' });
        }
        call.charge({ provider: 'smtp', model: 'smtp', usage: [{ unit: 'message', quantity: 1 }] });
        return { messageId: mail.messageId, response: sanitiseText(info.response, mostKept) };
      });
    },
    async ping(signal) {
      const transporter = await client();
      const attempt = { call: { signal }, deadlineMs: 5_000, paid: false, translate: diagnoseSmtp };
      await guard.once('ping', attempt, () => transporter.verify());
    },
    close: () => opened?.close(),
  };
}
