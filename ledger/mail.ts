// Mails that a server accepted, one row a job. Written in the transaction of the step that sent them.
import { sanitiseText } from '../shared/text.ts';
import type { Tx } from './db.ts';

export interface SentMail {
  jobId: string;
  tenant: string;
  template: string;
  recipient: string;
  messageId: string;
  /** What the server said. */
  response: string;
}

export async function saveMail(tx: Tx, mail: SentMail): Promise<void> {
  await tx.outboundMail.create({
    data: { ...mail, response: sanitiseText(mail.response, 500) },
    select: { jobId: true },
  });
}
