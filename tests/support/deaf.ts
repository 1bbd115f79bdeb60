// A client of a server in this process that asks and reads nothing of what it is told.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';

const started = 'http.server.request.start';

/** Resolves when the server has ended the connection on which `requests` came. */
export async function askAndNeverRead(url: string, requests: string): Promise<void> {
  const client = connect(Number(new URL(url).port), '127.0.0.1').pause();
  client.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    const listen = (message: unknown): void => {
      unsubscribe(started, listen);
      (message as { socket: Socket }).socket.once('close', () => resolve());
    };
    subscribe(started, listen);
    client.write(requests);
  });
  client.destroy();
}
