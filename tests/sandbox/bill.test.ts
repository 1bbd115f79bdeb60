import { test, expect } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBill } from '../../sandbox/bill.ts';

const entry = {
  provider: 'gemini',
  operation: 'generate-text',
  units: { output_token: 3 },
  status: 200,
} as const;

test('the bill keeps every line across a restart, torn lines aside, and never merges two of one step', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bill-'));
  const first = openBill(folder);
  first.add({ ...entry, step: 'job:write', requestId: 'a' });
  first.add({ ...entry, step: 'job:write', requestId: 'a' });
  first.close();
  appendFileSync(join(folder, 'bill.jsonl'), '{"at":"2026-');
  const second = openBill(folder);
  second.add({ ...entry, provider: 'deepgram', step: undefined, requestId: 'b' });
  second.close();
  const third = openBill(folder);
  expect(third.entries()).toHaveLength(3);
  expect(third.entries({ step: 'job:write' })).toHaveLength(2);
  expect(third.entries({ provider: 'deepgram' })).toEqual([expect.objectContaining({ requestId: 'b' })]);
  third.close();
  rmSync(folder, { recursive: true });
});
