// The cast: every stand-in and page of the sandbox, one line each. The only file that changes when a vendor is added.
import { cloudinaryEmulator } from './cloudinary.ts';
import { deepgramEmulator } from './deepgram.ts';
import { elevenlabsEmulator } from './elevenlabs.ts';
import type { Emulator, Route, World } from './frame.ts';
import { geminiEmulator } from './gemini.ts';
import { mailboxRoutes } from './mailbox.ts';
import { openMails } from './smtp-store.ts';
import { openSmtp } from './smtp.ts';

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
export async function assemble(world: World, mailAt: { host: string; port: number }): Promise<Cast> {
  const mails = openMails(world.dataDir);
  return {
    emulators: [
      geminiEmulator(world),
      elevenlabsEmulator(world),
      deepgramEmulator(world),
      cloudinaryEmulator(world),
    ],
    pages: mailboxRoutes(mails),
    links: [{ href: '/mailbox', title: 'The mailbox' }],
    mail: await openSmtp(world, mails, mailAt),
  };
}
