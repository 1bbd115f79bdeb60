// Checks that a Cloudinary request was signed with the account's secret: SHA-1 or SHA-256 over the sorted parameters.
// Written from the vendor's description, not from the SDK's code: an emulator that copies the client shares its mistakes.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Answer, Route, SandboxKeys, SandboxRequest } from './frame.ts';

const unsigned = new Set(['file', 'api_key', 'signature', 'resource_type', 'cloud_name']);
const staleSeconds = 3_600;

export function refuse(status: number, message: string): Answer {
  return { status, body: { error: { message } } };
}

/** Thrown anywhere below a route, answered by `orRefused`. */
export class Refused extends Error {
  readonly answer: Answer;
  constructor(status: number, message: string) {
    super(message);
    this.answer = refuse(status, message);
  }
}

export function orRefused(accept: (req: SandboxRequest) => Promise<Answer>): Route['accept'] {
  return async (req) => {
    try {
      return await accept(req);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  };
}

/** `k=v` sorted and joined by `&`; an `&` inside a value becomes `%26`, or one value could pose as two parameters. */
function stringToSign(fields: ReadonlyMap<string, string>): string {
  return Array.from(fields)
    .filter(([key, value]) => !unsigned.has(key) && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`.replaceAll('&', '%26'))
    .join('&');
}

/** The signature of these fields, hex. */
export function sign(
  fields: ReadonlyMap<string, string>,
  secret: string,
  algorithm: 'sha1' | 'sha256',
): string {
  return createHash(algorithm)
    .update(stringToSign(fields) + secret)
    .digest('hex');
}

function matches(given: string, fields: ReadonlyMap<string, string>, secret: string): boolean {
  const sent = Buffer.from(given);
  const wanted = Buffer.from(sign(fields, secret, sent.length === 64 ? 'sha256' : 'sha1'));
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}

/** Throws the vendor's refusal unless the request is in order. */
export function checkSignature(
  fields: ReadonlyMap<string, string>,
  cloud: string,
  keys: SandboxKeys['cloudinary'],
): void {
  if (cloud !== keys.cloud) throw new Refused(401, `Invalid cloud_name ${cloud}`);
  const key = fields.get('api_key');
  if (key === undefined) throw new Refused(401, 'Must supply api_key');
  if (key !== keys.key) throw new Refused(401, `Unknown API key ${key}`);
  const signature = fields.get('signature');
  const timestamp = Number(fields.get('timestamp'));
  if (signature === undefined) {
    throw new Refused(400, 'Upload preset must be specified when using unsigned upload');
  }
  if (!(timestamp > 0)) throw new Refused(400, 'Missing required parameter - timestamp');
  if (!matches(signature, fields, keys.secret)) {
    throw new Refused(401, `Invalid Signature ${signature}. String to sign - '${stringToSign(fields)}'.`);
  }
  if (Date.now() / 1000 - timestamp > staleSeconds) {
    const reported = new Date(timestamp * 1000).toISOString();
    throw new Refused(400, `Stale request - reported time is ${reported} which is more than 1 hour ago`);
  }
}
