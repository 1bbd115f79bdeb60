// The request id: the caller's own X-Request-ID when it is short and plain, else a new one. Echoed, logged, kept with the job.
import { newId } from '../shared/ids.ts';

const sane = /^[\w.:/+=@-]{1,128}$/;

export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && sane.test(header) ? header : newId();
}
