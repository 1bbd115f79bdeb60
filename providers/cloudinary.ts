// Cloudinary: keeps pictures, sound and captions, and delivers them. The only file that knows the cloudinary package.
// A fixed public id makes a repeated upload overwrite itself. The SDK takes no AbortSignal: each call has its own agent,
// which is destroyed on abort, and which also decides http or https (the SDK would decide by the environment).
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Writable } from 'node:stream';
import type { ConfigOptions, v2 } from 'cloudinary';
import type { Call } from '../shared/call.ts';
import {
  assetOf,
  diagnoseCloudinary,
  isAccepted,
  readAnswer,
  rejectionOf,
  tooLarge,
  type CloudinaryAccount,
} from './cloudinary-wire.ts';
import { toFailure } from './failure.ts';
import type { Guard } from './guard.ts';
import { billed } from './http.ts';
import { lazily } from './lazy.ts';
import type { Asset, Cloudinary, Upload } from './ports.ts';

export interface CloudinaryOptions extends CloudinaryAccount {
  baseUrl?: string;
  guard: Guard;
  /** Milliseconds one attempt may take, plus 10 ms a kilobyte; default 60 s. */
  deadlineMs?: number;
}

/** Bytes; above it an upload goes in parts. */
const partBytes = 20_000_000;

type Settings = Record<string, unknown>;

async function load(): Promise<typeof v2> {
  const { v2: sdk } = await import('cloudinary');
  // Whatever CLOUDINARY_URL in the environment said about proxies and tokens is taken back; accounts come with each call.
  const cleared: Settings = {
    hide_sensitive: true,
    oauth_token: undefined,
    api_proxy: undefined,
    secure: true,
  };
  sdk.config(cleared as ConfigOptions);
  return sdk;
}

function settingsOf(options: CloudinaryOptions, agent: HttpAgent | HttpsAgent): Settings {
  return {
    cloud_name: options.cloud,
    api_key: options.key,
    api_secret: options.secret,
    upload_prefix: options.baseUrl ?? 'https://api.cloudinary.com',
    signature_algorithm: 'sha256',
    timeout: 600_000,
    agent,
  };
}

/** Bytes of all answers to one upload; each is a short JSON. */
const answerBytes = 2_000_000;

interface OwnAgent {
  agent: HttpAgent | HttpsAgent;
  /** Of the last answer on it; that of a refused part stays, because the SDK may send the next part all the same. */
  status: () => number | undefined;
  /** Rejects with what the SDK throws over an answer; its own promise or callback stays silent then. */
  stumbled: Promise<never>;
}

/** What http.request calls of an agent; the types leave it out. */
interface Inside {
  addRequest: (request: ClientRequest, ...rest: unknown[]) => void;
}

/** Breaks a connection as soon as more comes back than an answer can be: the SDK would keep all of it. */
function limitAnswers(agent: HttpAgent): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (target, done) => {
    const socket = connect(target, done);
    let size = 0;
    socket?.on('data', (chunk: Uint8Array) => {
      size += chunk.length;
      if (size > answerBytes) socket.destroy(new Error(tooLarge));
    });
    return socket;
  };
}

/** Gives what a listener throws over the answer to `stumbled`: nobody else could catch it, and it would end the process. */
function catching(response: IncomingMessage, stumbled: (error: unknown) => void): void {
  const emit = response.emit.bind(response);
  response.emit = (...event: Parameters<typeof emit>) => {
    try {
      return emit(...event);
    } catch (error) {
      stumbled(error);
      return true;
    }
  };
}

function ownAgent(options: CloudinaryOptions): OwnAgent {
  const agent = options.baseUrl?.startsWith('http:') === true ? new HttpAgent() : new HttpsAgent();
  limitAnswers(agent);
  let status: number | undefined;
  const inside = agent as unknown as Inside;
  const add = inside.addRequest.bind(agent);
  const stumbled = new Promise<never>((_resolve, reject) => {
    inside.addRequest = (request, ...rest) => {
      if (isAccepted(status)) status = undefined;
      request.prependOnceListener('response', (response) => {
        status ??= response.statusCode;
        catching(response, reject);
      });
      add(request, ...rest);
    };
  });
  return { agent, status: () => status, stumbled };
}

/** Runs one SDK call on an agent of its own, which dies with the signal and with the call. */
async function onOwnAgent<T>(
  options: CloudinaryOptions,
  signal: AbortSignal,
  run: (settings: Settings) => Promise<T>,
  chargeEstimate: () => void = () => undefined,
): Promise<T> {
  const { agent, status, stumbled } = ownAgent(options);
  const accepted = () => isAccepted(status());
  const destroy = () => {
    agent.destroy();
  };
  signal.addEventListener('abort', destroy, { once: true });
  try {
    const answer = Promise.race([run(settingsOf(options, agent)), stumbled]);
    const result = await billed({ accepted }, answer, chargeEstimate);
    if (!accepted()) throw rejectionOf(result, status());
    return result;
  } catch (error) {
    throw rejectionOf(error, status());
  } finally {
    signal.removeEventListener('abort', destroy);
    agent.destroy();
  }
}

function parametersOf(upload: Upload, call: Call): Settings {
  const widths = upload.type === 'image' ? (upload.widths ?? []) : [];
  return {
    public_id: upload.publicId,
    resource_type: upload.type,
    overwrite: true,
    unique_filename: false,
    use_filename: false,
    extra_headers: { 'x-storytime-step': call.step },
    ...(widths.length === 0
      ? {}
      : { eager: widths.map((width) => ({ crop: 'limit', fetch_format: 'auto', quality: 'auto', width })) }),
  };
}

/** The SDK's two streams take bytes and call back once; its promises would reject with nobody listening. */
function send(sdk: typeof v2, bytes: Uint8Array, settings: Settings): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (error: unknown, result: unknown) => {
      if (error === undefined || error === null) resolve(result);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- plain objects; translated by the guard
      else reject(error);
    };
    const all = { ...settings, disable_promises: true };
    const { uploader } = sdk;
    const stream: Writable =
      bytes.length > partBytes
        ? uploader.upload_chunked_stream({ ...all, chunk_size: partBytes }, settle)
        : uploader.upload_stream(all, settle);
    stream.on('error', reject);
    stream.end(bytes);
  });
}

function charge(call: Call, bytes: number, variants: number): void {
  const usage = [
    { unit: 'upload', quantity: 1 },
    { unit: 'byte', quantity: bytes },
    { unit: 'transformation', quantity: variants },
  ];
  call.charge({
    provider: 'cloudinary',
    model: 'upload',
    usage: usage.filter(({ quantity }) => quantity > 0),
  });
}

export function createCloudinary(options: CloudinaryOptions): Cloudinary {
  const { guard } = options;
  const client = lazily('cloudinary', load);
  return {
    async upload(upload, call): Promise<Asset> {
      await call.afford('cloudinary');
      const sdk = await client();
      const deadlineMs = (options.deadlineMs ?? 60_000) + Math.ceil(upload.bytes.length / 100);
      return guard.run(
        'upload',
        { call, deadlineMs, paid: true, translate: diagnoseCloudinary },
        async ({ signal }) => {
          const chargeEstimate = () => {
            charge(call, upload.bytes.length, upload.widths?.length ?? 0);
          };
          const sent = (settings: Settings) =>
            send(sdk, upload.bytes, { ...settings, ...parametersOf(upload, call) });
          const answer = readAnswer(await onOwnAgent(options, signal, sent, chargeEstimate));
          if (answer === undefined) {
            chargeEstimate();
            const why = 'the answer does not fit its schema';
            throw toFailure({ provider: 'cloudinary', operation: 'upload' }, { code: 'bad_output', why });
          }
          charge(call, answer.bytes, answer.eager.length);
          return assetOf(answer, upload);
        },
      );
    },
    async ping(signal) {
      const sdk = await client();
      const attempt = { call: { signal }, deadlineMs: 5_000, paid: false, translate: diagnoseCloudinary };
      await guard.once('ping', attempt, (one) =>
        onOwnAgent(options, one.signal, async (settings): Promise<unknown> => sdk.api.ping(settings)),
      );
    },
  };
}
