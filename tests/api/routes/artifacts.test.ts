import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signLink } from '../../../ledger/links.ts';
import { newId } from '../../../shared/ids.ts';
import { sha256 } from '../../../shared/text.ts';
import { query } from '../../ledger/world.ts';
import { startApi } from '../../../api/server.ts';
import { ask, depsOf, linkSecret, openApi, problemOf, type ApiWorld } from '../world.ts';

const id = newId();
const bytes = Buffer.from('story,cost\n1,0.02\n');
let world: ApiWorld;
beforeAll(async () => {
  world = await openApi();
  await query(
    world,
    `INSERT INTO artifact (id, tenant, job_id, content_type, file_name, sha256, size, bytes, expires_at)
     VALUES ($1, 'acme', $2, 'text/csv; charset=utf-8', $3, $4, $5, $6, now() + interval '1 h')`,
    [id, newId(), 'Kosten "März".csv', sha256(bytes), bytes.length, bytes],
  );
});
afterAll(() => world.close());

const link = (ms: number) => signLink(linkSecret, { id, expiresAt: new Date(Date.now() + ms) });

test('the tenant downloads its artifact, and nobody renders it in our origin', async () => {
  const response = await ask(world, `/v1/artifacts/${id}`, { key: 'reader' });
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const disposition = `attachment; filename="Kosten _M_rz_.csv"; filename*=UTF-8''Kosten%20%22M%C3%A4rz%22.csv`;
  expect(response.headers.get('content-disposition')).toBe(disposition);
  const etag = response.headers.get('etag') ?? '';
  expect((await ask(world, `/v1/artifacts/${id}`, { headers: { 'if-none-match': etag } })).status).toBe(304);
});

test('a signed link opens without a key, until it expires or is changed', async () => {
  const nobody = { key: undefined };
  expect(await (await ask(world, link(60_000), nobody)).text()).toBe(bytes.toString());
  for (const path of [link(-1_000), link(60_000).slice(0, -1), `/v1/artifacts/${id}?expires=1`]) {
    const response = await ask(world, path, nobody);
    expect([response.status, (await problemOf(response)).code]).toEqual([401, 'link_expired']);
    expect(response.headers.get('www-authenticate')).not.toBeNull();
  }
});

test.each([
  ['ahead of', 300_000],
  ['behind', -300_000],
])(
  'a link is good until it expires by the ledger, whose clock this machine is five minutes %s',
  async (_, aheadMs) => {
    // The ledger's time is given from outside, so it is the one that is moved.
    const api = await startApi({
      ...depsOf(world),
      host: '127.0.0.1',
      port: 0,
      now: () => Promise.resolve(Date.now() - aheadMs),
    });
    const open = async (path: string): Promise<number> => (await fetch(`${api.url}${path}`)).status;
    expect([await open(link(-aheadMs + 60_000)), await open(link(-aheadMs - 60_000))]).toEqual([200, 401]);
    await api.close();
  },
);

test.each([
  ['of another tenant', id, 'stranger', 404, 'artifact_not_found'],
  ['that does not exist', newId(), 'admin', 404, 'artifact_not_found'],
  ['whose id is no id', 'costs.csv', 'admin', 400, 'invalid_id'],
  ['without the right to read', id, 'stories', 403, 'insufficient_scope'],
] as const)('an artifact %s is refused', async (_, artifact, key, status, code) => {
  const response = await ask(world, `/v1/artifacts/${artifact}`, { key });
  expect([response.status, (await problemOf(response)).code]).toEqual([status, code]);
});
