// Bodies made to fill a memory: 20 MB at once and in pieces, a gzip bomb, JSON 5,000 deep, a million keys. Each is refused
// without being read to its end, quickly, and the API stays as large as it was and answers others meanwhile.
import { readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import { faultRow } from './kit/row.ts';
import { canary, type World } from './kit/world.ts';

const megabytes = (count: number): Buffer => Buffer.alloc(count * 1_000_000, 'a');

interface Attack {
  body: Buffer;
  headers?: Record<string, string>;
  /** Sent without saying how long it is. */
  chunked?: boolean;
  answers: [status: number, code: string];
}

const many = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',');
const attacks: Readonly<Record<string, Attack>> = {
  '20 MB': { body: megabytes(20), answers: [413, 'payload_too_large'] },
  '20 MB in chunks': { body: megabytes(20), chunked: true, answers: [413, 'payload_too_large'] },
  'a gzip bomb': {
    body: gzipSync(megabytes(100)),
    headers: { 'content-encoding': 'gzip' },
    answers: [415, 'unsupported_encoding'],
  },
  'JSON 5,000 deep': {
    body: Buffer.from('['.repeat(5_000) + ']'.repeat(5_000)),
    answers: [400, 'json_too_complex'],
  },
  'a million keys': { body: Buffer.from(`{${many}}`), answers: [413, 'payload_too_large'] },
  'as many keys as fit': {
    body: Buffer.from(`{${many.slice(0, many.lastIndexOf(',', 250_000))}}`),
    answers: [400, 'json_too_complex'],
  },
};
const rounds = { fewest: 5, most: 25 };
const boundMs = 100;

faultRow(
  {
    ft: '39',
    tier: 'P',
    engines: ['redis'],
    name: 'bodies made to fill the memory are refused quickly, and the API does not grow by them',
  },
  async (world) => {
    const api = await world.start('api');
    await world.start('work');
    const warm = { parallel: 4 };
    await world.caller.enqueueMany(20, () => ['pay', { steps: 1, callMs: 1, canary }], warm);
    const before = rssOf(api.pid);
    const quickest = new Map(Object.keys(attacks).map((name) => [name, Infinity]));
    const slow = (): string[] => [...quickest].filter(([, ms]) => ms >= boundMs).map(([name]) => name);
    // An answer that waited for this machine and not for the API has its match in a calmer round. What the API itself
    // spends on an attack does not depend on the company, so every attack of every round is held to the bound.
    for (let round = 0; round < rounds.fewest || (slow().length > 0 && round < rounds.most); round += 1) {
      for (const [name, attack] of Object.entries(attacks)) {
        const spent = cpuMsOf(api.pid);
        const start = performance.now();
        expect([name, ...(await send(world, attack))]).toEqual([name, ...attack.answers]);
        quickest.set(name, Math.min(quickest.get(name) ?? 0, performance.now() - start));
        expect([name, cpuMsOf(api.pid) - spent < boundMs]).toEqual([name, true]);
      }
    }
    expect(slow()).toEqual([]);
    expect((rssOf(api.pid) - before) / 1e6).toBeLessThan(50);
    await world.caller.enqueueMany(20, () => ['pay', { steps: 1, callMs: 1, canary }], warm);
    const recoveryMs = await world.settled(20_000);
    const counts = await world.check(['I1', 'I2', 'I3', 'I4', 'I9', 'I12']);
    return { ...counts, recoveryMs, jobs: 40 };
  },
);

/** The status and the code of the problem. The body is still being sent when the answer comes. */
function send(world: World, { body, headers = {}, chunked = false }: Attack): Promise<[number, string]> {
  // A connection that may be kept: told to close it, the server would close it while the body is still on its way.
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise<[number, string]>((resolve, reject) => {
    const req = request(`http://127.0.0.1:${world.env['STORYTIME_API_PORT'] ?? ''}/v1/jobs`, {
      method: 'POST',
      agent,
      headers: {
        authorization: `Bearer ${world.key}`,
        'content-type': 'application/json',
        ...(!chunked && { 'content-length': String(body.length) }),
        ...headers,
      },
    });
    req.once('response', (answer) => {
      resolve(problemOf(answer));
    });
    req.on('error', reject); // after an answer it changes nothing
    req.end(body);
  });
  return answered.finally(() => agent.destroy());
}

async function problemOf(answer: IncomingMessage): Promise<[number, string]> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  const { code } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { code: string };
  return [answer.statusCode ?? 0, code];
}

/** The processor time that the process has used, in ms: fields 14 and 15 of proc(5), in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The most memory that the process ever held, in bytes. */
function rssOf(pid: number): number {
  const [, kB = '0'] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) * 1_024;
}
