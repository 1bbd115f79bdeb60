// Whether TZ names a time zone. Node takes a name that it does not know for UTC, without a word.
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Environment } from '../shared/config.ts';
import { quoted } from '../shared/text.ts';
import { CliError } from './exit.ts';

/** What is wrong with TZ, when something is. */
export function timeZoneProblem({ TZ: given = '' }: Environment): string | undefined {
  const name = given.replace(/^:/, '');
  // Also right, by POSIX: a file, and a rule such as `CET-1CEST`.
  if (name === '' || (isAbsolute(name) && existsSync(name)) || /^(<[\w+-]+>|[A-Za-z]{3,})[+-]?\d/.test(name))
    return undefined;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    return `TZ ${quoted(given)} is not a time zone; write one like UTC or Europe/Berlin, or leave it out`;
  }
}

/** Ends a command that would start with such a TZ. */
export function requireTimeZone(env: Environment): void {
  const problem = timeZoneProblem(env);
  if (problem !== undefined) throw new CliError('wrongUse', problem);
}
