// One request at one emulator: the fault that is due, the vendor's answer, the bill, and how the answer leaves the house.
// The bill is written here, between the answer being ready and the first byte of it being sent.
import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.ts';
import {
  findRoute,
  operationOf,
  type Answer,
  type Emulator,
  type SandboxRequest,
  type World,
} from './frame.ts';

/** How an answer leaves: whole, in part and then silence or a cut, not at all, or as a connection reset. */
export type Delivery =
  | { how: 'whole'; answer: Answer }
  | { how: 'stall'; answer: Answer; afterBytes: number }
  | { how: 'cut'; answer: Answer; afterBytes: number }
  | { how: 'hang' }
  | { how: 'reset' };

function plainFaultAnswer(fault: Fault): Answer {
  const status = fault.kind === 'status' ? fault.status : 429;
  const body =
    fault.kind === 'status' && fault.body !== undefined ? fault.body : { error: `status ${status}` };
  const headers = fault.kind === 'status' ? fault.headers : undefined;
  return { status, body: typeof body === 'string' ? body : Object(body), ...(headers ? { headers } : {}) };
}

interface At {
  emulator: Emulator;
  req: SandboxRequest;
}

/** What replaces the vendor's answer before it accepts anything; undefined lets the request through. */
function before(fault: Fault, { emulator, req }: At): Delivery | undefined {
  if (fault.kind === 'hang') return { how: 'hang' };
  if (fault.kind === 'reset' && !fault.billed) return { how: 'reset' };
  if (fault.kind !== 'status' && fault.kind !== 'quota') return undefined;
  return { how: 'whole', answer: emulator.faultAnswer?.(fault, req) ?? plainFaultAnswer(fault) };
}

function garbage(body: string, contentType = 'application/json; charset=UTF-8'): Delivery {
  return { how: 'whole', answer: { status: 200, headers: { 'content-type': contentType }, body } };
}

/** The vendor's wording of an answer it charged for but does not give: a safety stop, a truncated text. */
function bend(fault: Fault, answer: Answer, { emulator, req }: At): Answer {
  if (fault.kind !== 'safety' && fault.kind !== 'max_tokens') return answer;
  if (!answer.accepted || !emulator.faultAnswer) return answer;
  return emulator.faultAnswer(fault, req, answer) ?? answer;
}

/** What a fault makes of an answer that the vendor has already charged for. */
function after(fault: Fault, answer: Answer, at: At): Delivery {
  const { kind } = fault;
  if (kind === 'stall' || kind === 'cut') return { how: kind, answer, afterBytes: fault.afterBytes };
  if (kind === 'reset') return { how: 'reset' };
  if (kind === 'garbage') return garbage(fault.body, fault.contentType);
  return { how: 'whole', answer: bend(fault, answer, at) };
}

function writeBill(answer: Answer, delivery: Delivery, { emulator, req }: At, world: World): void {
  if (!answer.accepted) return;
  const sent = 'answer' in delivery ? delivery.answer.accepted : undefined;
  const { step, requestId } = req;
  const common = { provider: emulator.provider, step, requestId, status: answer.status };
  world.bill.add({ ...common, ...(sent ?? answer.accepted) });
}

/** The fault that is due, written down with the request that it meets. */
function faultOf(
  { faults, calls }: World,
  at: { provider: string; operation: string | undefined; step: string | undefined },
): Fault | undefined {
  const fault = faults.take(at);
  calls.add({ ...at, fault: fault?.kind });
  return fault;
}

/** Rejects only when `closing` aborts a delay, or when an emulator has a bug. */
export async function exchange(
  emulator: Emulator,
  req: SandboxRequest,
  world: World,
  closing: AbortSignal,
): Promise<Delivery> {
  const found = findRoute(emulator.routes, req.method, req.path);
  const at: At = { emulator, req: { ...req, params: found?.params ?? [] } };
  const operation = operationOf(found?.route, at.req);
  const fault = faultOf(world, { provider: emulator.provider, operation, step: req.step });
  const early = fault && before(fault, at);
  if (early) return early;
  // The caller may hang up meanwhile: the vendor works on, and charges, all the same.
  if (fault?.kind === 'delay') await wait(fault.ms, undefined, { signal: closing });
  const answer = await (found ? found.route.accept(at.req) : emulator.notFound(at.req));
  const delivery: Delivery = fault ? after(fault, answer, at) : { how: 'whole', answer };
  writeBill(answer, delivery, at, world);
  return delivery;
}
