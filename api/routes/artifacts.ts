// Artifacts: for the key of their tenant, or for whoever holds a signed link. Always a download, never shown in our origin.
import { Problem } from '../../shared/errors.ts';
import { isId } from '../../shared/ids.ts';
import { quoted } from '../../shared/text.ts';
import { verifyLink } from '../../ledger/links.ts';
import { readArtifact, readParts, type ArtifactView } from '../../ledger/queries-artifacts.ts';
import { requireScope } from '../auth.ts';
import type { ApiDeps, Route } from '../deps.ts';
import { send, sendParts, type Exchange } from '../exchange.ts';

export function artifactRoutes(deps: ApiDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/artifacts/:id',
      query: ['expires', 'signature'],
      open: true, // the holder of a link has no key; everyone else is asked for one below
      run: (exchange) => show(deps, exchange),
    },
  ];
}

async function show(deps: ApiDeps, exchange: Exchange): Promise<void> {
  const id = exchange.params['id'] ?? '';
  const tenant = await tenantOf(deps, exchange, id);
  if (!isId(id))
    throw new Problem('invalid_id', `the request failed: ${quoted(id)} is not an id; ids are UUIDs`);
  const artifact = await readArtifact(deps.db, id, tenant);
  if (artifact === undefined)
    throw new Problem(
      'artifact_not_found',
      'the request failed: there is no such artifact; it may have expired',
    );
  const etag = `"${artifact.sha256.toString('base64url').slice(0, 22)}"`;
  const headers = ['ETag', etag, 'Cache-Control', 'private, max-age=300'];
  if (exchange.req.headers['if-none-match'] === etag) return send(exchange, { status: 304, headers });
  headers.push('Content-Type', artifact.contentType, 'Content-Disposition', disposition(artifact));
  const { bytes, size } = artifact;
  if (bytes.length === size) return send(exchange, { status: 200, headers, body: bytes });
  sendParts(exchange, { status: 200, headers, size }, readParts(deps.db, artifact));
}

/** The tenant whose artifacts may be read; undefined for a signed link, which names its one artifact. */
async function tenantOf(deps: ApiDeps, exchange: Exchange, id: string): Promise<string | undefined> {
  const expires = exchange.query.get('expires');
  const signature = exchange.query.get('signature');
  if (expires === undefined && signature === undefined) {
    const caller = await deps.authenticate(exchange.req);
    requireScope(caller, 'jobs:read');
    return caller.tenant;
  }
  const given = { expires: expires ?? '', signature: signature ?? '' };
  // By the ledger's clock: one of ours that is wrong must not end a good link, nor open an old one again.
  const nowMs = await (deps.now?.() ?? Date.now());
  if (verifyLink(deps.linkSecret, id, given, nowMs)) return undefined;
  throw new Problem(
    'link_expired',
    'the request failed: the link has expired or was changed; ask for a new one',
  );
}

/** RFC 6266: a plain name for everyone, the exact one for those who can read it. */
function disposition(artifact: ArtifactView): string {
  if (artifact.fileName === null) return 'attachment';
  const plain = artifact.fileName.replaceAll(/[^\w. -]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(artifact.fileName)}`;
}
