// How this very program is started again, so that the parts of a system run the same code: from dist with its flags, from its
// TypeScript source through tsx, as tests do.
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nodeFlags } from './node-flags.ts';

export function thisProgram(): { file: string; execArgv: readonly string[] } {
  if (import.meta.url.endsWith('.js'))
    return { file: fileURLToPath(new URL('./main.js', import.meta.url)), execArgv: [...nodeFlags] };
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { file: fileURLToPath(new URL('./main.ts', import.meta.url)), execArgv: ['--import', tsx] };
}
