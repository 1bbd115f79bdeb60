// Covers: api/routes/artifacts.ts, api/exchange.ts
// Downloads of files in parts: whole or visibly broken, and read no faster than the client reads.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { signLink } from '../../../ledger/links.ts';
import type { Db } from '../../../ledger/db.ts';
import type { ApiDeps } from '../../../api/deps.ts';
import { startApi, type RunningApi } from '../../../api/server.ts';
import { newId } from '../../../shared/ids.ts';
import { sha256 } from '../../../shared/text.ts';
import { query } from '../../ledger/world.ts';
import { askAndNeverRead } from '../../support/deaf.ts';
import { depsOf, linkSecret, openApi, problemOf, type ApiWorld } from '../world.ts';

/** More than the buffers of two sockets hold. */
const many = 60;
const partSize = 1_000_000;

let world: ApiWorld;
let deps: ApiDeps;
let api: RunningApi;
let large: string;
/** Parts that were read after the first ones, which come with their artifacts. */
let read = 0;
/** Bytes that waited in this process to be taken by a client while a part was read, at most. */
let waiting = 0;
let answer: ServerResponse | undefined;
const remember = (message: unknown): void =>
  void (answer = (message as { response: ServerResponse }).response);
beforeAll(async () => {
  world = await openApi();
  large = await addFile(many);
  subscribe('http.server.request.start', remember);
});
afterAll(async () => {
  unsubscribe('http.server.request.start', remember);
  await world.close();
});
beforeEach(async () => {
  read = 0;
  waiting = 0;
  const run: Db['run'] = async (statement, values) => {
    if (statement.name === 'artifact_part_read') {
      read += 1;
      waiting = Math.max(waiting, answer?.writableLength ?? 0);
    }
    return world.db.run(statement, values);
  };
  deps = depsOf({ ...world, db: { ...world.db, run } });
  api = await startApi({ ...deps, host: '127.0.0.1', port: 0 });
  world.notices.length = 0;
});
afterEach(() => api.close());

function contentOf(n: number): Buffer {
  return Buffer.alloc(partSize, String(n).padStart(10, '0'));
}

/** A file of so many parts, the last one of ten bytes; with `draft` its attempt is still writing it. */
async function addFile(parts: number, draft: number | null = null): Promise<string> {
  const id = newId();
  const file = wholeOf(parts);
  await query(
    world,
    `INSERT INTO artifact (id, tenant, job_id, content_type, file_name, sha256, size, draft_attempt_no, expires_at)
     VALUES ($1, 'acme', $2, 'text/csv', 'costs.csv', $3, $4, $5, now() + interval '1 h')`,
    [id, newId(), sha256(file), file.length, draft],
  );
  const text = `INSERT INTO artifact_part (artifact_id, n, bytes)
    SELECT $1, n, convert_to(repeat(lpad(n::text, 10, '0'), CASE WHEN n = $2 THEN 1 ELSE 100000 END), 'UTF8') FROM generate_series(0, $2::int) n`;
  await query(world, text, [id, parts - 1]);
  return id;
}

function wholeOf(parts: number): Buffer {
  const full = Array.from({ length: parts - 1 }, (_, n) => contentOf(n));
  return Buffer.concat([...full, contentOf(parts - 1).subarray(0, 10)]);
}

function ask(id: string, given: RequestInit = {}): Promise<Response> {
  const expiresAt = new Date(Date.now() + 60_000);
  return fetch(`${api.url}${signLink(linkSecret, { id, expiresAt })}`, given);
}

const plain = (id: string) =>
  `GET /v1/artifacts/${id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${world.keys.reader}\r\n\r\n`;

test('a file in parts comes as one, with the headers of any other', async () => {
  const parts = 8;
  const response = await ask(await addFile(parts));
  const headers = Object.fromEntries(response.headers);
  expect([response.status, headers]).toMatchObject([
    200,
    {
      'content-length': String(partSize * (parts - 1) + 10),
      'content-type': 'text/csv',
      'content-disposition': `attachment; filename="costs.csv"; filename*=UTF-8''costs.csv`,
      'cache-control': 'private, max-age=300',
      'x-content-type-options': 'nosniff',
    },
  ]);
  expect(Buffer.from(await response.arrayBuffer()).equals(wholeOf(parts))).toBe(true);
  expect(read).toBe(parts - 1);
  expect(waiting).toBeLessThan(partSize);
});

test('who asks for the head, or has the file already, makes nobody read it', async () => {
  const head = await ask(large, { method: 'HEAD' });
  const size = String(partSize * (many - 1) + 10);
  expect([head.status, head.headers.get('content-length')]).toEqual([200, size]);
  const known = await ask(large, { headers: { 'if-none-match': head.headers.get('etag') ?? '' } });
  expect([known.status, read]).toEqual([304, 0]);
});

test('a file that is still being written is not there', async () => {
  const response = await ask(await addFile(3, 1));
  expect([response.status, (await problemOf(response)).code]).toEqual([404, 'artifact_not_found']);
});

test('a client that reads nothing stops the reading of the file, and loses the connection', async () => {
  const impatient = await startApi({ ...deps, host: '127.0.0.1', port: 0, silenceMs: 500 });
  await askAndNeverRead(impatient.url, plain(large));
  await impatient.close();
  expect(read).toBeLessThan(many / 2);
  expect(waiting).toBeLessThan(partSize);
  expect(world.notices).toEqual([]);
});

test('a client that goes away in the middle stops the reading of the file', async () => {
  const client = connect(api.port, '127.0.0.1');
  client.write(plain(large));
  await once(client, 'data');
  client.pause();
  client.destroy();
  await api.close();
  expect(read).toBeLessThan(many / 2);
  expect(world.notices).toEqual([]);
});

test('a file whose parts go while it is read breaks off: it never looks whole', async () => {
  const id = await addFile(5);
  await query(world, 'DELETE FROM artifact_part WHERE artifact_id = $1 AND n = 3', [id]);
  const response = await ask(id);
  expect(response.status).toBe(200);
  await expect(response.arrayBuffer()).rejects.toThrow();
  expect(world.notices).toMatchObject([
    {
      level: 'warn',
      message: 'an answer could not be sent to its end',
      facts: { route: '/v1/artifacts/:id' },
    },
  ]);
});
