// Stands in for a mail provider: SMTP with login on loopback, faults by code at every moment, one bill line per accepted mail.
// The line is written and the mail kept before the 250 goes out; a connection dropped after DATA therefore has both.
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { toError } from '../shared/errors.ts';
import type { MailServer } from './emulators.ts';
import type { World } from './frame.ts';
import { smtpError, turnOf, type Moment } from './smtp-faults.ts';
import type { Mails } from './smtp-store.ts';

const sizeLimitBytes = 25 * 1024 * 1024;
type Done = (error?: Error | null, message?: string) => void;

/** The value of a header of a raw mail, unfolded. */
function headerOf(content: Buffer, name: string): string | undefined {
  const end = content.indexOf('\r\n\r\n');
  const head = content.toString('latin1', 0, end < 0 ? content.length : end).replaceAll(/\r\n[ \t]+/g, ' ');
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(head)?.[1]?.trim();
}

async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) if (!stream.sizeExceeded) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Office {
  world: World;
  mails: Mails;
  /** By the caller's port, which is how a session names its connection. */
  sockets: Map<number, Socket>;
  closing: AbortSignal;
}

/** Keeps the mail and writes the bill; the text of the answer. */
async function accept(
  { world, mails }: Office,
  session: SMTPServerSession,
  content: Buffer,
): Promise<string> {
  const { mailFrom, rcptTo } = session.envelope;
  const from = mailFrom === false ? '' : mailFrom.address;
  const to = rcptTo.map(({ address }) => address);
  const requestId = await mails.keep({ from, to }, content);
  world.bill.add({
    provider: 'smtp',
    operation: 'send',
    step: headerOf(content, 'x-storytime-step'),
    units: { messages: 1, recipients: to.length, bytes: content.length },
    status: 250,
    requestId,
    note: headerOf(content, 'message-id') ?? '',
  });
  return `2.0.0 Ok: queued as ${requestId}`;
}

interface Meeting {
  office: Office;
  session: SMTPServerSession;
  moment: Moment;
  step?: string | undefined;
}

/** Plays one moment: asks for a fault, then does the work and answers, unless the fault says otherwise. */
async function play(meeting: Meeting, done: Done, work?: () => Promise<string>): Promise<void> {
  const { office, session, moment, step } = meeting;
  const turn = turnOf(office.world.faults.take({ provider: 'smtp', operation: moment, step }), moment);
  const drop = (): void => void office.sockets.get(session.remotePort)?.destroy();
  try {
    if (turn.waitMs !== undefined) await wait(turn.waitMs, undefined, { signal: office.closing });
    if (turn.refuse) throw turn.refuse;
    if (turn.before === undefined) {
      const text = await work?.();
      if (turn.after === undefined) done(null, text);
    }
    if (turn.before === 'drop' || turn.after === 'drop') drop();
  } catch (error) {
    done(toError(error));
  }
}

async function takeMail(
  office: Office,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  done: Done,
): Promise<void> {
  const content = await readAll(stream).catch(() => undefined);
  if (!content) return; // The sender went away in mid-mail.
  if (stream.sizeExceeded) {
    done(smtpError(552));
    return;
  }
  const step = headerOf(content, 'x-storytime-step');
  await play({ office, session, moment: 'data', step }, done, () => accept(office, session, content));
}

function serverFor(office: Office): SMTPServer {
  const { smtp } = office.world.keys;
  return new SMTPServer({
    name: 'sandbox.storytime.test',
    banner: 'Storytime sandbox',
    size: sizeLimitBytes,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    disableReverseLookup: true,
    hideDSN: false,
    closeTimeout: 100,
    onConnect: (session, done) => void play({ office, session, moment: 'greeting' }, done),
    onAuth: (auth, _session, done) => {
      const right = auth.username === smtp.user && auth.password === smtp.password;
      if (right) done(null, { user: smtp.user });
      else done(smtpError(535));
    },
    onMailFrom: (_address, session, done) => void play({ office, session, moment: 'mail' }, done),
    onRcptTo: (_address, session, done) => void play({ office, session, moment: 'rcpt' }, done),
    onData: (stream, session, done) => void takeMail(office, stream, session, done),
  });
}

/** Listens; `port` 0 takes a free one. close() ends every connection, silent ones too. */
export async function openSmtp(
  world: World,
  mails: Mails,
  at: { host: string; port: number },
): Promise<MailServer> {
  const sockets = new Map<number, Socket>();
  const stop = new AbortController();
  const server = serverFor({ world, mails, sockets, closing: stop.signal });
  server.server.on('connection', (socket: Socket) => {
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.once('close', () => sockets.delete(port));
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(at.port, at.host, done);
  });
  // A client that hangs up is no news; without a listener it would end the process.
  server.on('error', (error) => {
    world.log('a connection to the sandbox SMTP server failed', { error: String(error) });
  });
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  const close = async (): Promise<void> => {
    stop.abort();
    const closed = new Promise<void>((done) => {
      server.close(done);
    });
    for (const socket of sockets.values()) socket.destroy();
    await closed;
  };
  return { port, close };
}
