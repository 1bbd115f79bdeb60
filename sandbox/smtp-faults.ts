// What a fault does to one moment of an SMTP conversation.
// After DATA a dropped or silent connection has an unknown outcome for the sender: the mail was taken, and is on the bill.
import type { Fault } from './faults.ts';

export type Moment = 'greeting' | 'mail' | 'rcpt' | 'data';

export interface Turn {
  waitMs?: number;
  refuse?: Error;
  /** Nothing is taken and nothing said: the connection is dropped, or goes silent. */
  before?: 'drop' | 'hang';
  /** The same, after the work was done. */
  after?: 'drop' | 'hang';
}

const texts: Record<number, string> = {
  421: '4.3.2 Service not available, closing transmission channel',
  450: '4.2.1 Mailbox temporarily unavailable',
  451: '4.3.0 Local error in processing, try again later',
  452: '4.5.3 Too many recipients',
  454: '4.7.0 Daily sending limit exceeded',
  535: '5.7.8 Authentication credentials invalid',
  550: '5.1.1 No such mailbox',
  552: '5.3.4 Message too big',
  554: '5.7.1 Message refused',
};

/** An error whose code the SMTP server sends. */
export function smtpError(responseCode: number): Error {
  return Object.assign(new Error(texts[responseCode] ?? 'Refused'), { responseCode });
}

const quotaCode = 454;

function refusalOf(fault: Fault): Turn | undefined {
  if (fault.kind === 'smtp' && fault.drop !== true) return { refuse: smtpError(fault.code) };
  if (fault.kind === 'status') return { refuse: smtpError(fault.status) };
  return fault.kind === 'quota' ? { refuse: smtpError(quotaCode) } : undefined;
}

const lost = { smtp: 'drop', cut: 'drop', reset: 'drop', stall: 'hang', hang: 'hang' } as const;

/** Faults that make no sense for mail (safety, garbage) let the moment pass. */
export function turnOf(fault: Fault | undefined, moment: Moment): Turn {
  if (!fault) return {};
  const refusal = refusalOf(fault);
  if (refusal) return refusal;
  if (fault.kind === 'delay') return { waitMs: fault.ms };
  const act = fault.kind in lost ? lost[fault.kind as keyof typeof lost] : undefined;
  if (act === undefined) return {};
  const untaken = fault.kind === 'hang' || (fault.kind === 'reset' && !fault.billed);
  return untaken || moment !== 'data' ? { before: act } : { after: act };
}
