// Who may open the pages of the sandbox: a page of the internet can point a name of its own at this machine, and would then
// read the mailbox from within a browser on it. It cannot do that with an address, nor with a name that is ours.
import { isIP } from 'node:net';

/** Whether a Host header is an address, `localhost` or one of `names`. */
export function isKnownHost(header: string | undefined, names: readonly string[]): boolean {
  const text = `http://${header ?? ''}`;
  if (!URL.canParse(text)) return false;
  const { hostname } = new URL(text);
  const known = ['localhost', ...names.map((name) => name.toLowerCase())];
  return isIP(hostname.replace(/^\[(.*)\]$/, '$1')) > 0 || known.includes(hostname);
}
