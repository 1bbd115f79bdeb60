// Every request that reaches a vendor is told, with the fault that met it, whether it was billed or not.
import { expect, test } from '@jest/globals';
import { openCalls } from '../../sandbox/calls.ts';
import { sandboxKeys, setFault, withSandbox } from './world.ts';

test('a refused and an answered request are both listed, with their step and fault', () =>
  withSandbox(async (sandbox) => {
    await setFault(sandbox, { provider: 'deepgram', times: 1, fault: { kind: 'status', status: 503 } });
    const headers = { authorization: `Token ${sandboxKeys.deepgram}`, 'x-storytime-step': 'job:check' };
    for (let call = 0; call < 2; call += 1)
      await (await fetch(`${sandbox.url}/deepgram/v1/projects`, { headers })).arrayBuffer();
    await (await fetch(`${sandbox.url}/gemini/v1beta/models/none`)).arrayBuffer();
    const read = async (query: string): Promise<object[]> => {
      const answer = await fetch(`${sandbox.url}/_sandbox/calls${query}`);
      return ((await answer.json()) as { calls: object[] }).calls;
    };
    const call = { at: expect.any(Number), provider: 'deepgram', step: 'job:check' };
    expect(await read('?provider=deepgram')).toMatchObject([{ ...call, fault: 'status' }, call]);
    expect(await read('')).toHaveLength(3);
  }));

test('only the last are kept', () => {
  const calls = openCalls();
  for (let call = 0; call < 20_001; call += 1)
    calls.add({ provider: 'smtp', operation: String(call), step: undefined, fault: undefined });
  expect(calls.entries('smtp').at(-1)?.operation).toBe('20000');
  expect(calls.entries().length).toBeLessThan(20_000);
});
