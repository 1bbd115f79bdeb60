// `storytime sandbox`: stands in for the five providers, with what it keeps in the home folder.
import { join } from 'node:path';
import type { Environment } from '../shared/config.ts';
import { sandboxKeys } from '../shared/sandbox-keys.ts';
import { startSandbox } from '../sandbox/server.ts';
import { makeHome } from './home.ts';
import { runPart, type Part } from './process.ts';

export async function runSandbox(env: Environment): Promise<number> {
  return runPart('sandbox', env, start);
}

async function start(part: Part): Promise<string> {
  const { config, emit, lifecycle } = part;
  const sandbox = await startSandbox({
    dataDir: join(makeHome(config.STORYTIME_HOME), 'sandbox'),
    host: config.STORYTIME_SANDBOX_HOST,
    knownAs: new URL(config.STORYTIME_SANDBOX_URL).hostname,
    port: config.STORYTIME_SANDBOX_PORT,
    smtpPort: config.STORYTIME_SANDBOX_SMTP_PORT,
    keys: sandboxKeys,
    log: (message, facts) =>
      emit('notice', { level: 'warn', message, ...(facts !== undefined && { facts }) }),
  });
  lifecycle.onStop('the sandbox', () => sandbox.close());
  return sandbox.url;
}
