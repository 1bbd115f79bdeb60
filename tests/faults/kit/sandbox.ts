// The real sandbox as a process of the fleet, for rows of the real kinds: its faults, its bill, its mailbox.
import { freePort } from '../../../ledger/embedded/port.ts';
import type { Member } from './fleet.ts';

/** A line of `GET /_sandbox/bill`. */
export interface BillEntry {
  at: string;
  provider: string;
  operation: string;
  step?: string;
  status: number;
}

/** A line of `GET /_sandbox/calls`. */
export interface CallEntry {
  /** Milliseconds since 1970. */
  at: number;
  step?: string;
  /** The kind of the fault that met it. */
  fault?: string;
}

export interface FaultSandbox {
  member: Member;
  url: string;
  smtpUrl: string;
  /** One fault plan of sandbox/faults.ts. */
  fault: (plan: object) => Promise<void>;
  clearFaults: () => Promise<void>;
  bill: () => Promise<BillEntry[]>;
  /** Every request that reached a vendor, billed or not. */
  calls: (provider: string) => Promise<CallEntry[]>;
  /** Every mail that was taken. */
  mails: () => Promise<{ messageId: string; to: string[]; subject: string }[]>;
}

/** Ports first, because the other processes are told of them: `env` is what they are to be started with. */
export async function sandboxPorts(): Promise<Record<string, string>> {
  const [http = 0, smtp = 0] = [await freePort(0), await freePort(0)];
  return {
    STORYTIME_SANDBOX_PORT: String(http),
    STORYTIME_SANDBOX_SMTP_PORT: String(smtp),
    STORYTIME_SANDBOX_URL: `http://127.0.0.1:${http}`,
    STORYTIME_SANDBOX_SMTP_URL: `smtp://127.0.0.1:${smtp}`,
  };
}

export function sandboxOf(member: Member, env: Readonly<Record<string, string>>): FaultSandbox {
  const url = env['STORYTIME_SANDBOX_URL'] ?? '';
  return {
    member,
    url,
    smtpUrl: env['STORYTIME_SANDBOX_SMTP_URL'] ?? '',
    async fault(plan) {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/_sandbox/faults`, {
        method: 'POST',
        headers,
        body: JSON.stringify(plan),
      });
      if (!answer.ok) throw new Error(`the sandbox refused the fault: ${await answer.text()}`);
    },
    clearFaults: async () => void (await fetch(`${url}/_sandbox/faults`, { method: 'DELETE' })),
    calls: async (provider) =>
      ((await (await fetch(`${url}/_sandbox/calls?provider=${provider}`)).json()) as { calls: CallEntry[] })
        .calls,
    mails: async () => ((await (await fetch(`${url}/mailbox.json`)).json()) as { mails: [] }).mails,
    bill: async () =>
      ((await (await fetch(`${url}/_sandbox/bill`)).json()) as { entries: BillEntry[] }).entries,
  };
}
