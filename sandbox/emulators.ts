// The cast: every stand-in and page of the sandbox, one line each. The only file that changes when a vendor is added.
import type { Emulator, Route, World } from './frame.ts';
import { geminiEmulator } from './gemini.ts';

/** The SMTP side of the sandbox, once it listens. */
export interface MailServer {
  port: number;
  close: () => Promise<void>;
}

export interface Cast {
  emulators: Emulator[];
  /** Pages outside the vendors' prefixes, e.g. `/mailbox`. They are never billed and no fault hits them. */
  pages: Route[];
  /** What the index page links to. */
  links: { href: string; title: string }[];
  mail: MailServer | undefined;
}

/** `mailAt.port` 0 takes a free port. */
// oxlint-disable-next-line require-await -- stand-ins that open files or ports are awaited here
export async function assemble(world: World, _mailAt: { host: string; port: number }): Promise<Cast> {
  return { emulators: [geminiEmulator(world)], pages: [], links: [], mail: undefined };
}
