// Plays golden exchanges against a sandbox: `<key>` becomes a valid credential (`<cloud>` and `<api-key>` Cloudinary's), ids that differ each time become `<id>`.
import { readGolden, shapeOf, type Exchange } from './golden.ts';
import { sandboxKeys, setFault } from './world.ts';
import type { Sandbox } from '../../sandbox/server.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

const { cloud, key: apiKey } = sandboxKeys.cloudinary;
const fill = (text: string): string => text.replace('<cloud>', cloud).replace('<api-key>', apiKey);

interface Played {
  name: string;
  wanted: unknown[];
  got: unknown[];
}

/** `bytes` is sent instead of a JSON body. */
type Sent = Exchange['request'] & { bytes?: string; form?: Record<string, string> };

function bodyOf(request: Sent): { body?: string | Buffer | FormData } {
  if (request.bytes !== undefined) return { body: Buffer.from(request.bytes, 'base64') };
  if (request.form) {
    const form = new FormData();
    for (const [name, value] of Object.entries(request.form)) form.set(name, fill(value));
    return { body: form };
  }
  return request.body === undefined ? {} : { body: JSON.stringify(request.body) };
}

async function playOne(sandbox: Sandbox, provider: string, key: string, exchange: Exchange): Promise<Played> {
  const { name, request, fault, check, answer } = exchange;
  if (fault) await setFault(sandbox, { provider, times: 1, fault });
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([header, value]) => [header, value.replace('<key>', key)]),
  );
  const sent = { method: request.method, headers, ...bodyOf(request) };
  const response = await fetch(`${sandbox.url}/${provider}${fill(request.path)}`, sent);
  const body: unknown = JSON.parse((await response.text()).replaceAll(uuid, '<id>'));
  const view = check === 'exact' ? (value: unknown): unknown => value : shapeOf;
  return { name, wanted: [answer.status, view(answer.body)], got: [response.status, view(body)] };
}

export async function playGolden(sandbox: Sandbox, provider: string, key: string): Promise<Played[]> {
  const played: Played[] = [];
  for (const exchange of readGolden(provider)) played.push(await playOne(sandbox, provider, key, exchange));
  return played;
}
