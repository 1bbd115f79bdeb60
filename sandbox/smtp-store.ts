// The mails that the SMTP stand-in accepted, as .eml files in the data folder, newest last by name (the names are UUIDv7).
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isId, newId } from '../shared/ids.ts';

interface Envelope {
  from: string;
  to: string[];
}

export interface Mails {
  /** Resolves with the id after the mail is a whole file. The envelope goes on top as a mail server writes it. */
  keep: (envelope: Envelope, content: Buffer) => Promise<string>;
  /** Newest first. */
  ids: () => Promise<string[]>;
  read: (id: string) => Promise<Buffer | undefined>;
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n<>]/g, '');

export function openMails(dataDir: string): Mails {
  const folder = join(dataDir, 'mail');
  mkdirSync(folder, { recursive: true });
  return {
    keep: async ({ from, to }, content) => {
      const id = newId();
      const top = [`Return-Path: <${oneLine(from)}>`, ...to.map((one) => `Delivered-To: ${oneLine(one)}`)];
      const path = join(folder, `${id}.eml`);
      try {
        await writeFile(`${path}.tmp`, Buffer.concat([Buffer.from(`${top.join('\r\n')}\r\n`), content]));
        await rename(`${path}.tmp`, path);
      } catch (error) {
        await rm(`${path}.tmp`, { force: true }); // a full disk leaves no half of a mail
        throw error;
      }
      return id;
    },
    ids: async () => {
      const names = await readdir(folder);
      const ids = names.filter((name) => name.endsWith('.eml')).map((name) => name.slice(0, -4));
      return ids.filter(isId).sort().toReversed();
    },
    read: async (id) => {
      if (!isId(id)) return undefined;
      return readFile(join(folder, `${id}.eml`)).catch(() => undefined);
    },
  };
}
