// What is wrong with a request, as the API would say it: pointer and code of every error.
import { Problem } from '../../shared/errors.ts';
import { checkJob } from '../../queues/check.ts';
import { registry } from '../../queues/index.ts';

/** `['/payload/to invalid_email']`; nothing when the request is accepted. */
export function refusals(kind: string, payload: unknown): string[] {
  try {
    checkJob(registry, { kind, payload }, Date.now());
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    return thrown.errors.map(({ pointer, code }) => `${pointer} ${code}`);
  }
}

/** The payload as its handler gets it. */
export function accepted(kind: string, payload: unknown): unknown {
  return checkJob(registry, { kind, payload }, Date.now()).payload;
}
