// What a command ends with: the exit codes, and every error as one line of text or one line of JSON.
import { CommanderError } from 'commander';
import { JobDead, JobTimeout, ProblemError } from '../client/index.ts';
import { ConfigError, SchemaRefused, toError } from '../shared/errors.ts';

/** The meaning of an exit code, the same for every command. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  someJobsFailed: 3,
  notAllowed: 4,
  refused: 6,
  timedOut: 124,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

/** In words; docs/errors.md is written from it. */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  done: 'What was asked for is done; a part that runs was stopped in order.',
  failed: 'It failed; of `doctor`, a check did; of a part, it ended by a fault of its own.',
  wrongUse:
    'The command, its input or the configuration cannot be right; or a port is taken, or Redis may evict.',
  someJobsFailed: 'The job that was waited for, or one of its family, did not succeed.',
  notAllowed: 'The API refuses the key, or none is known.',
  refused: "This build and the database's schema do not go together.",
  timedOut: 'The time of `--timeout` is over; the job goes on.',
  interrupted: 'Stopped, as by Ctrl-C, before it was done.',
};

/** Ends the command with a code and a sentence of the form `what failed: why; what to do`. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitName;
  /** More lines, one for each thing that is wrong. */
  readonly details: readonly string[];

  constructor(exit: ExitName, message: string, details: readonly string[] = []) {
    super(message);
    this.exit = exit;
    this.details = details;
  }
}

export interface Ending {
  code: number;
  /** Undefined when there is nothing to say: help and version were printed already. */
  message: string | undefined;
  details: readonly string[];
  /** What the API answered, for a script: its own code, and the id under which the operators find the request. */
  problem?: { status: number; code: string; requestId?: string | undefined };
}

/** Whatever a command threw, as its end. */
export function endingOf(thrown: unknown): Ending {
  if (thrown instanceof CliError)
    return { code: exitCodes[thrown.exit], message: thrown.message, details: thrown.details };
  if (thrown instanceof ConfigError) {
    const message = 'the configuration cannot be used; correct these and start again';
    return { code: exitCodes.wrongUse, message, details: thrown.problems };
  }
  if (thrown instanceof CommanderError) return { ...commanderEnding(thrown), details: [] };
  if (thrown instanceof ProblemError) return problemEnding(thrown);
  return { code: exitCodes[exitOf(thrown)], message: toError(thrown).message, details: [] };
}

function exitOf(thrown: unknown): ExitName {
  if (thrown instanceof JobDead) return 'someJobsFailed';
  if (thrown instanceof JobTimeout) return 'timedOut';
  if (thrown instanceof SchemaRefused) return 'refused';
  return isPortTaken(thrown) ? 'wrongUse' : 'failed';
}

function isPortTaken(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false;
  const { code, cause } = thrown as { code?: unknown; cause?: unknown };
  return code === 'EADDRINUSE' || isPortTaken(cause);
}

/** What the API refused: a request that cannot be right is wrong use, a missing right is its own code. */
function problemEnding({ status, code, message: text, errors, requestId }: ProblemError): Ending {
  const wrong = [400, 413, 415, 422].includes(status);
  const exit = wrong ? 'wrongUse' : status === 401 || status === 403 ? 'notAllowed' : 'failed';
  const details = errors.map((error) => `${error.pointer || '/'} ${error.message}`);
  const message = status >= 500 && requestId !== undefined ? `${text} (request ${requestId})` : text;
  return { code: exitCodes[exit], message, details, problem: { status, code, requestId } };
}

/** Commander has written help, version and its own errors by the time it throws. */
function commanderEnding(error: CommanderError): { code: number; message: string | undefined } {
  const isHelp = error.code === 'commander.help';
  // Of help that nobody asked for, because the command is missing, commander makes an error.
  const asked = ['commander.helpDisplayed', 'commander.version'].includes(error.code);
  if (asked || (isHelp && error.exitCode === 0)) return { code: exitCodes.done, message: undefined };
  return { code: exitCodes.wrongUse, message: isHelp ? undefined : oneLine(error.message) };
}

/** `error: unknown command 'x'\n(Did you mean y?)` -> one line without the prefix. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
