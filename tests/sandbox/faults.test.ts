import { test, expect } from '@jest/globals';
import { openFaults } from '../../sandbox/faults.ts';
import { readBill, setFault, withSandbox, sandboxKeys } from './world.ts';

const draw = (url: string, step: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/gemini/v1beta/models/gemini-3.8-flash:generateContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': sandboxKeys.gemini, 'x-storytime-step': step },
    body: JSON.stringify({ contents: [{ parts: [{ text: 'A story about snow for Mia' }] }] }),
    ...(signal ? { signal } : {}),
  });
const read = async (answer: Promise<Response>): Promise<string> => (await answer).text();

test('a plan hits only its operation and its steps, as often as it says', () => {
  const faults = openFaults();
  faults.add({ provider: 'gemini', operation: 'write', match: ':page-3', times: 2, fault: { kind: 'hang' } });
  const take = (operation: string, step: string): unknown =>
    faults.take({ provider: 'gemini', operation, step })?.kind;
  expect(take('draw', 'job:page-3')).toBeUndefined();
  expect(take('write', 'job:page-2')).toBeUndefined();
  expect([1, 2, 3].map(() => take('write', 'job:page-3'))).toEqual(['hang', 'hang', undefined]);
  expect(faults.list()).toEqual([expect.objectContaining({ used: 2 })]);
});

test('a probability is drawn anew for every request, and an SMTP fault waits for its moment', () => {
  const drawn = [0.4, 0.6];
  const faults = openFaults(() => drawn.shift() ?? 1);
  faults.add({ provider: 'gemini', probability: 0.5, fault: { kind: 'hang' } });
  expect([1, 2].map(() => faults.take({ provider: 'gemini' })?.kind)).toEqual(['hang', undefined]);
  const mail = openFaults();
  mail.add({ provider: 'smtp', fault: { kind: 'smtp', code: 451, at: 'data' } });
  expect(mail.take({ provider: 'smtp', operation: 'rcpt' })).toBeUndefined();
  expect(mail.take({ provider: 'smtp', operation: 'data' })?.kind).toBe('smtp');
});

test('what fails before the vendor accepts is free, what fails after it is billed', () =>
  withSandbox(async (sandbox) => {
    const outcome = async (name: string, fault: object): Promise<string> => {
      await setFault(sandbox, { provider: 'gemini', times: 1, match: name, fault });
      const sent = await read(draw(sandbox.url, `job:${name}`)).then(
        (text) => (text.startsWith('{') ? 'answer' : text.slice(0, 4)),
        () => 'lost',
      );
      return `${sent}, ${(await readBill(sandbox, `?step=job:${name}`)).length} billed`;
    };
    expect(await outcome('busy', { kind: 'status', status: 503 })).toBe('answer, 0 billed');
    expect(await outcome('broke', { kind: 'quota' })).toBe('answer, 0 billed');
    expect(await outcome('gone', { kind: 'reset', billed: false })).toBe('lost, 0 billed');
    expect(await outcome('eaten', { kind: 'reset', billed: true })).toBe('lost, 1 billed');
    expect(await outcome('torn', { kind: 'cut', afterBytes: 40 })).toBe('lost, 1 billed');
    expect(await outcome('noise', { kind: 'garbage', body: '<oops' })).toBe('<oop, 1 billed');
    expect(await outcome('late', { kind: 'delay', ms: 5 })).toBe('answer, 1 billed');
  }));

test('a hang sends nothing and a stall only the first bytes, until the caller gives up', () =>
  withSandbox(async (sandbox) => {
    await setFault(sandbox, { provider: 'gemini', match: 'hang', fault: { kind: 'hang' } });
    await expect(draw(sandbox.url, 'job:hang', AbortSignal.timeout(150))).rejects.toThrow(/timeout/);
    await setFault(sandbox, { provider: 'gemini', match: 'stall', fault: { kind: 'stall', afterBytes: 10 } });
    const answer = await draw(sandbox.url, 'job:stall', AbortSignal.timeout(300));
    const reader = answer.body?.getReader();
    expect((await reader?.read())?.value).toHaveLength(10);
    await expect(reader?.read()).rejects.toThrow(/timeout/);
    expect(await readBill(sandbox)).toEqual([expect.objectContaining({ step: 'job:stall' })]);
  }));

test('a plan that cannot be meant is refused with its reason, and no web page can post one', () =>
  withSandbox(async (sandbox) => {
    await expect(
      setFault(sandbox, { provider: 'gemini', fault: { kind: 'status', statsu: 500 } }),
    ).rejects.toThrow(/statsu/);
    const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' };
    const answer = await fetch(`${sandbox.url}/_sandbox/faults`, form);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('content type')]);
    await setFault(sandbox, { provider: 'gemini', fault: { kind: 'hang' } });
    await fetch(`${sandbox.url}/_sandbox/faults`, { method: 'DELETE' });
    expect(await (await fetch(`${sandbox.url}/_sandbox/faults`)).json()).toEqual({ faults: [] });
  }));
