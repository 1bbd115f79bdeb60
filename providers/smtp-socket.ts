// The connection to a mail server, opened here because nodemailer does not count what it reads: it gives up a reply that is too
// long, and keeps every empty line of a server that sends nothing else until the call's deadline (measured: gigabytes).
import { connect, type Socket } from 'node:net';

interface Address {
  host?: string;
  port?: number | string;
  connectionTimeout?: number;
}

/** A hundred mails and their replies are a tenth of this. */
const mostBytes = 1_000_000;
/** Of one reply. */
export const mostReplyBytes = 65_536;
const lookMs = 50;

type Opened = (error: Error | null, given?: { connection: Socket }) => void;

/** nodemailer's `getSocket`. */
export function openSocket({ host = '', port, connectionTimeout = 10_000 }: Address, opened: Opened): void {
  const socket = connect({ host, port: Number(port) });
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
    cap(socket);
    opened(null, { connection: socket });
  });
}

/** By its own count, which goes on below TLS, where nobody else sees the bytes. */
function cap(socket: Socket): void {
  const timer = setInterval(() => {
    if (socket.bytesRead > mostBytes) socket.destroy(broken('ESOCKET', 'the server does not stop talking'));
  }, lookMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}

function broken(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
