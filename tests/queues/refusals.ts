// What is wrong with a request, as the API would say it: pointer and code of every error.
import { Problem } from '../../shared/errors.ts';
import { checkJob } from '../../queues/check.ts';
import { registry } from '../../queues/index.ts';

/** The refusal of a request; nothing when it is accepted. */
export function problemOf(kind: string, payload: unknown): Problem | undefined {
  try {
    checkJob(registry, { kind, payload }, Date.now());
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    return thrown;
  }
}

/** `['/payload/to invalid_email']`; nothing when the request is accepted. */
export function refusals(kind: string, payload: unknown): string[] {
  return problemOf(kind, payload)?.errors.map(({ pointer, code }) => `${pointer} ${code}`) ?? [];
}

/** The payload as its handler gets it. */
export function accepted(kind: string, payload: unknown): unknown {
  return checkJob(registry, { kind, payload }, Date.now()).payload;
}
