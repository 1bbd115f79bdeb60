// A sandbox of its own for a test: a free port, a folder in the system's temporary folder, the keys that the adapters use on a sandbox.
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from '../../sandbox/server.ts';
import type { BillEntry } from '../../sandbox/bill.ts';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';

export { sandboxKeys };

/** Starts one; `dataDir` of an earlier one keeps its memory. */
export function openSandbox(
  dataDir = mkdtempSync(join(tmpdir(), 'sandbox-')),
): Promise<Sandbox & { dataDir: string }> {
  return startSandbox({ dataDir, keys: sandboxKeys }).then((sandbox) => ({ ...sandbox, dataDir }));
}

export async function withSandbox(
  use: (sandbox: Sandbox & { dataDir: string }) => Promise<void>,
): Promise<void> {
  const sandbox = await openSandbox();
  try {
    await use(sandbox);
  } finally {
    await sandbox.close();
    await rm(sandbox.dataDir, { recursive: true, force: true });
  }
}

export async function setFault(sandbox: Sandbox, plan: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${sandbox.url}/_sandbox/faults`, {
    method: 'POST',
    headers,
    body: JSON.stringify(plan),
  });
  if (answer.status !== 201)
    throw new Error(`the fault was refused: ${await answer.text()}; correct the test`);
  return ((await answer.json()) as { id: string }).id;
}

export async function readBill(sandbox: Sandbox, query = ''): Promise<BillEntry[]> {
  const answer = await fetch(`${sandbox.url}/_sandbox/bill${query}`);
  return ((await answer.json()) as { entries: BillEntry[] }).entries;
}
