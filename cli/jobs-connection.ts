// Where the `jobs` commands find the API: STORYTIME_URL and STORYTIME_KEY, else the system that runs in this folder.
// The development key is sent to that system alone, never to another address.
import { connect, type Client } from '../client/index.ts';
import { clientSettings } from '../shared/config.ts';
import { toError } from '../shared/errors.ts';
import { CliError } from './exit.ts';
import { readNote, type UpNote } from './home.ts';
import type { Terminal } from './terminal.ts';

/** Job kinds are text on the command line: the API checks them. */
export type AnyClient = Client<{ payloads: Record<string, unknown>; results: Record<string, unknown> }>;

/** A person waits five seconds to be told that an API does not answer, no longer. */
const limits = { timeoutMs: 4_500, patienceMs: 500 };

export async function openClient(terminal: Terminal): Promise<AnyClient> {
  const { url, key } = findApi(terminal);
  await greet(url);
  return connect({ url, key, ...limits });
}

function findApi({ env }: Terminal): { url: string; key: string } {
  const given = clientSettings(env);
  refuseUnusable(given);
  const running = runningHere(given.home);
  const url = given.url ?? running?.api;
  if (url === undefined) {
    const todo = 'start `storytime up` or set STORYTIME_URL';
    throw new CliError('failed', `no API is known: nothing runs in this folder; ${todo}`);
  }
  const key = given.key ?? (url === running?.api ? running.key : undefined);
  if (key === undefined)
    throw new CliError('notAllowed', 'no key is known for this API; set STORYTIME_KEY to one of its keys');
  return { url, key };
}

/** Before anything is sent: what cannot be an address or a header would be tried again and again, and the error show the key. */
function refuseUnusable({ url, key }: { url?: string | undefined; key?: string | undefined }): void {
  if (url !== undefined && !(/^https?:\/\/\S+$/i.test(url) && URL.canParse(url)))
    throw new CliError('wrongUse', 'STORYTIME_URL is not an address; write http://host:port');
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return;
  const why = 'it must be one line of printable ASCII without spaces';
  throw new CliError('wrongUse', `STORYTIME_KEY cannot be a key: ${why}; copy it again`);
}

function runningHere(home: string): UpNote | undefined {
  const found = readNote(home);
  return found?.alive === true ? found.note : undefined;
}

/** One quick question first: the client is patient with a server that is away, a person is not. */
async function greet(url: string): Promise<void> {
  try {
    await (await fetch(new URL('/livez', url), { signal: AbortSignal.timeout(4_000) })).arrayBuffer();
  } catch (thrown) {
    const { message, cause } = toError(thrown);
    const why = (cause instanceof Error && toError(cause).message) || message;
    throw new CliError(
      'failed',
      `the API at ${url} does not answer: ${why}; check the address and that it runs`,
    );
  }
}

/** Runs `work` with a signal that Ctrl-C aborts; then says how to come back. */
export async function interruptible<T>(
  id: () => string | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return await work(stop.signal);
  } catch (thrown) {
    const known = id();
    const goesOn = known === undefined ? '' : `; the job goes on: storytime jobs wait ${known}`;
    throw stop.signal.aborted ? new CliError('interrupted', `stopped waiting${goesOn}`) : thrown;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
