// The frame every stand-in is built on: what a request, an answer, a route and an emulator are, and how a path finds its route.
// An answer with `accepted` is one the vendor would charge for: it is on the bill before a byte of it is sent.
// Must never import providers/: an emulator that shares code with the client shares its mistakes.
import type { IncomingHttpHeaders } from 'node:http';
import type { Bill, BilledProvider } from './bill.ts';
import type { Calls } from './calls.ts';
import type { Fault, Faults } from './faults.ts';

export interface SandboxKeys {
  gemini: string;
  elevenlabs: string;
  deepgram: string;
  cloudinary: { cloud: string; key: string; secret: string };
  smtp: { user: string; password: string };
}

/** What every stand-in is given. `dataDir` exists and is absolute; `url` is the sandbox's own address, without a slash at the end. */
export interface World {
  dataDir: string;
  url: string;
  keys: SandboxKeys;
  bill: Bill;
  faults: Faults;
  calls: Calls;
  log: (message: string, fields?: Record<string, unknown>) => void;
}

export interface SandboxRequest {
  method: string;
  /** Without the emulator's prefix and without the query; percent-encoding kept. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The captures of the route's pattern, decoded. */
  params: string[];
  /** `<job id>:<step name>` from the header x-storytime-step. */
  step: string | undefined;
  /** Made by the frame and written on the bill: emulators send it as the vendor's own request id. */
  requestId: string;
}

/** What the vendor would charge. `units` are the vendor's own: tokens, characters, seconds, images, bytes. */
export interface Accepted {
  operation: string;
  units: Record<string, number>;
  note?: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a string as text/plain unless `headers` says otherwise. */
  body: string | Buffer | object;
  accepted?: Accepted;
}

export interface Route {
  method: string;
  /** `/v1/voices/:id` or a RegExp on the whole path. */
  pattern: RegExp | string;
  /** The name that faults with an `operation` are matched by. */
  operation?: string | ((req: SandboxRequest) => string);
  accept: (req: SandboxRequest) => Promise<Answer> | Answer;
}

export interface Emulator {
  provider: Exclude<BilledProvider, 'smtp'>;
  /** `/gemini` */
  prefix: string;
  routes: Route[];
  notFound: (req: SandboxRequest) => Answer;
  /**
   * The vendor's own wording of a fault; undefined leaves it to the frame. For safety and max_tokens `answer` is
   * what would have been sent without the fault; the charge of that answer is kept.
   */
  faultAnswer?: (fault: Fault, req: SandboxRequest, answer?: Answer) => Answer | undefined;
}

const compiled = new Map<string, RegExp>();

function toRegExp(pattern: RegExp | string): RegExp {
  if (typeof pattern !== 'string') return pattern;
  const known = compiled.get(pattern);
  if (known) return known;
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:\w+/g, '([^/]+)');
  const made = new RegExp(`^${source}$`);
  compiled.set(pattern, made);
  return made;
}

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return part ?? '';
  }
}

/** The first route that fits, with its captures. HEAD is answered by GET's route. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: string[] } | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  for (const route of routes) {
    if (route.method !== wanted) continue;
    const found = toRegExp(route.pattern).exec(path);
    if (found) return { route, params: found.slice(1).map(decode) };
  }
  return undefined;
}

export function operationOf(route: Route | undefined, req: SandboxRequest): string | undefined {
  return typeof route?.operation === 'function' ? route.operation(req) : route?.operation;
}

/** Text for a page or an attribute: everything a browser could read as markup is escaped. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (found) => names[found] ?? found);
}
