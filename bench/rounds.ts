// Runs one round of a side in a child process; puts load on the sides that are servers.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { nodeFlags } from '../cli/node-flags.ts';
import type { SideContext, SideResult } from './sides/types.ts';

const entry = fileURLToPath(new URL('./side.js', import.meta.url));

interface Served {
  url: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** Much longer than any round: BullMQ on PostgreSQL can lose the end of a job to a deadlock of its own, and waits for it for ever. */
const limitMs = 180_000;

/** One round; one that hangs is ended and played once more, and the bench says so. */
export async function runRound(name: string, context: SideContext, again = true): Promise<SideResult> {
  const child = startSide(name, context);
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    const result = await answer<SideResult>(child, name);
    if (child.exitCode === null) await once(child, 'exit');
    return result;
  } catch (thrown) {
    if (!again || child.signalCode !== 'SIGKILL') throw thrown;
    process.stderr.write(`a round of ${name} hung and is played again\n`);
    return await runRound(name, context, false);
  } finally {
    clearTimeout(limit);
  }
}

/** The answers a second of a server side at `inFlight` connections. A single answer that is not a 2xx fails the bench. */
export async function serveRound(name: string, context: SideContext): Promise<SideResult> {
  const child = startSide(name, context);
  const served = await answer<Served>(child, name);
  await load(served, context.warmUp, context.inFlight);
  const before = await cpuOf(child, name);
  const { rate } = await load(served, context.jobs, context.inFlight);
  const cpuS = (((await cpuOf(child, name)) - before) / context.jobs) * 1_000;
  child.disconnect();
  await once(child, 'exit');
  return { rate, cpuS };
}

function startSide(name: string, context: SideContext): ChildProcess {
  // Both sides run under the flags that our own processes are started with.
  return fork(entry, [name, JSON.stringify(context)], {
    execArgv: [...nodeFlags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function answer<T>(child: ChildProcess, name: string): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`bench failed: side ${name} ended with code ${String(code)} before it answered`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  ended.catch(() => undefined);
  return message;
}

async function cpuOf(child: ChildProcess, name: string): Promise<number> {
  child.send('cpu');
  return answer<number>(child, name);
}

async function load(served: Served, amount: number, connections: number): Promise<{ rate: number }> {
  const start = performance.now();
  const result = await autocannon({
    url: served.url + served.path,
    connections,
    amount,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...served.headers },
    body: served.body,
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`bench failed: ${result.non2xx} answers were not 2xx, ${result.errors} had no answer`);
  }
  return { rate: amount / ((performance.now() - start) / 1_000) };
}
