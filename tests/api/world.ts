// The API on a real port in front of a real database, with keys for every right a test needs.
import { connect } from 'node:net';
import { once } from 'node:events';
import { createAuthenticate } from '../../api/auth.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createCheckSpending } from '../../api/spending.ts';
import { startApi, type RunningApi, type StartOptions } from '../../api/server.ts';
import { createKey, createKeyring } from '../../ledger/keys.ts';
import { registry } from '../../queues/index.ts';
import type { Events } from '../../shared/events.ts';
import { openLedger, story, type LedgerWorld } from '../ledger/world.ts';

export const linkSecret = 'a secret of at least thirty-two characters';

/** name -> scopes of the keys; `stranger` belongs to another tenant. */
const rights = {
  admin: ['admin'],
  stories: ['enqueue:story-generation'],
  reader: ['jobs:read'],
  operator: ['jobs:read', 'jobs:operate'],
  stranger: ['admin'],
} as const;

type KeyName = keyof typeof rights;

export interface ApiWorld extends LedgerWorld {
  api: RunningApi;
  keys: Record<KeyName, string>;
  /** Every `http.answered` so far. */
  answered: Events['http.answered'][];
  notices: Events['notice'][];
}

/** What the API is made of, in front of one database. */
export function depsOf(world: LedgerWorld): ApiDeps {
  return {
    registry,
    db: world.db,
    enqueue: world.enqueue,
    authenticate: createAuthenticate(createKeyring(world)),
    emit: world.events.emit,
    readiness: async () => ({ ledger: true, engine: true }),
    linkSecret,
    checkSpending: createCheckSpending(world.db, undefined),
    draining: () => false,
  };
}

export async function openApi(change: Partial<StartOptions> = {}): Promise<ApiWorld> {
  const world = await openLedger();
  const answered: Events['http.answered'][] = [];
  const notices: Events['notice'][] = [];
  world.events.on('http.answered', (event) => answered.push(event));
  world.events.on('notice', (event) => notices.push(event));
  const keys = {} as Record<KeyName, string>;
  for (const name of Object.keys(rights) as KeyName[]) {
    const tenant = name === 'stranger' ? 'neighbour' : 'acme';
    keys[name] = (await createKey(world.db, { name, tenant, scopes: rights[name] })).key;
  }
  const api = await startApi({ ...depsOf(world), host: '127.0.0.1', port: 0, ...change });
  const close = async (): Promise<void> => {
    await api.close();
    await world.close();
  };
  return { ...world, api, keys, answered, notices, close };
}

export interface ProblemAnswer {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  details: Record<string, unknown>;
  errors: { pointer: string; code: string; message: string }[];
}

export const storyBody = { kind: 'generate-story', payload: story };

export interface Ask {
  key?: KeyName | undefined;
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** One request with the admin's key, unless `key` says otherwise. An object as body is sent as JSON, the rest as it is. */
export async function ask(world: ApiWorld, path: string, given: Ask = {}): Promise<Response> {
  const { key, body } = { key: 'admin' as const, ...given };
  const headers = {
    ...(key === undefined ? {} : { authorization: `Bearer ${world.keys[key]}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...given.headers,
  };
  const method = given.method ?? (body === undefined ? 'GET' : 'POST');
  return fetch(`${world.api.url}${path}`, { method, headers, ...bodyOf(body) });
}

function bodyOf(body: unknown): { body?: string | Uint8Array } {
  if (body === undefined) return {};
  return { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) };
}

export async function problemOf(response: Response): Promise<ProblemAnswer> {
  return (await response.json()) as ProblemAnswer;
}

/** Enqueues a story and gives its id. */
export async function post(world: ApiWorld, headers: Record<string, string> = {}): Promise<string> {
  const response = await ask(world, '/v1/jobs', { body: storyBody, headers });
  return ((await response.json()) as { id: string }).id;
}

/** Sends bytes that no client library would, and gives everything that came back until the server closed. */
export async function sendRaw(world: ApiWorld, text: string, end = false): Promise<string> {
  const socket = connect(world.api.port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
  socket.on('error', () => undefined);
  if (end) socket.end(text, 'latin1');
  else socket.write(text, 'latin1');
  await once(socket, 'close');
  return received;
}
