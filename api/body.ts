// Reads a request's body: JSON only, not compressed, at most 256 kB. What is refused is not read; Node drops the rest of it.
import type { IncomingMessage } from 'node:http';
import { refusal } from '../queues/check.ts';
import { Problem, type FieldError } from '../shared/errors.ts';
import { parseJson } from './json.ts';
import type { Exchange } from './exchange.ts';
import { ClientGone } from './problems.ts';

/** In bytes. */
const maxBody = 256 * 1_024;

/** The body as JSON. */
export async function readJson({ req, patience }: Pick<Exchange, 'req' | 'patience'>): Promise<unknown> {
  checkType(req.headers['content-type']);
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new Problem(
      'unsupported_encoding',
      'the request failed: compressed bodies are not read; send it as it is',
    );
  return parseJson(await patience.standStill(() => readBytes(req)));
}

/** For an act that takes nothing: the body is absent or an object without fields. */
export async function readNothing(exchange: Pick<Exchange, 'req' | 'patience'>): Promise<void> {
  const body = hasBody(exchange.req) ? await readJson(exchange) : {};
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Problem('object_required', 'the request failed: the body must be a JSON object or absent');
  const fields = Object.keys(body).slice(0, 20);
  if (fields.length > 0) throw refusal(fields.map(unknownField));
}

export function unknownField(key: string): FieldError {
  return { pointer: `/${key.slice(0, 64)}`, code: 'unknown_field', message: 'is not a field here' };
}

/** Whether a body was announced. */
function hasBody(req: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': transfer } = req.headers;
  return transfer !== undefined || (length !== undefined && length !== '0');
}

function checkType(header: string | undefined): void {
  if (header === 'application/json') return;
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';');
  if (type.trim() !== 'application/json')
    throw new Problem(
      'unsupported_media_type',
      'the request failed: the body must be JSON; send application/json',
    );
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim() === 'charset' && !/^"?utf-?8"?$/.test(value.trim()))
      throw new Problem('unsupported_charset', 'the request failed: the charset must be utf-8; encode it so');
  }
}

function tooLarge(): Problem {
  return new Problem(
    'payload_too_large',
    `the request failed: the body has more than ${maxBody} bytes; send less`,
    {
      details: { max_bytes: maxBody },
    },
  );
}

function readBytes(req: IncomingMessage): Promise<Buffer> {
  const announced = req.headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBody) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBody) {
        chunks.length = 0; // the rest is read and dropped, so that the answer can reach a client that is still sending
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    req.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    req.on('error', () => reject(new ClientGone())); // also when the connection ends before the body does
  });
}
