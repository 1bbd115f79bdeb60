// The connection to a mail server, kept here because nodemailer does not count what it reads: it gives up a reply that is too
// long, but queues every empty line of a server that sends nothing else, and goes through them one by one after the end, for
// minutes, with all of this process's time. Every byte goes through this stream, also those of a TLS session on top of it.
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

interface Address {
  host?: string;
  port?: number | string;
  connectionTimeout?: number;
}

/** Unasked, between two writes of ours. A greeting, a TLS handshake and the longest list of extensions are a few thousand. */
const mostUnaskedBytes = 32_768;
const keepAliveMs = 60_000;

type Opened = (error: Error | null, given?: { connection: Duplex }) => void;

/** nodemailer's `getSocket`. */
export function openSocket({ host = '', port, connectionTimeout = 10_000 }: Address, opened: Opened): void {
  const socket = connect({
    host,
    port: Number(port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
  const late = setTimeout(
    () => socket.destroy(broken('ETIMEDOUT', 'no connection in time')),
    connectionTimeout,
  );
  const fail = (error: Error): void => {
    clearTimeout(late);
    opened(error);
  };
  socket.once('error', fail);
  socket.once('connect', () => {
    clearTimeout(late);
    socket.off('error', fail);
    opened(null, { connection: new Line(socket) });
  });
}

/** Passes everything on, until the server talks for too long. */
class Line extends Duplex {
  readonly #socket: Socket;
  #unasked = 0;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('end', () => this.push(null));
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  #hear(chunk: Buffer): void {
    this.#unasked += chunk.length;
    if (this.#unasked > mostUnaskedBytes) this.destroy(broken('ESOCKET', 'the server does not stop talking'));
    else if (!this.push(chunk)) this.#socket.pause();
  }

  /** As a socket's: nodemailer closes a session that stands still. */
  setTimeout(ms: number): this {
    this.#socket.setTimeout(ms);
    return this;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#unasked = 0;
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

function broken(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
