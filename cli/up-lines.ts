// The log of a part as a person reads it beside the others: warnings, errors and how attempts ended; the rest is in the file.
// One line in, one line or nothing out.
import { plain, type Paint } from './terminal.ts';

interface LogLine {
  level: string;
  time: string;
  message: string;
  kind?: string;
  outcome?: string;
  attempt?: number;
  durationMs?: number;
  code?: string;
  error?: string;
  model?: string;
  retryInMs?: number;
}

/** A reader of one part's log. A warning that repeats, as while Redis is away, is shown once until something else is. */
export function lineReader(part: string, paint: Paint): (text: string) => string | undefined {
  let last: string | undefined;
  return (text) => {
    const shown = humanLine(part, text, paint);
    const same = shown !== undefined && last !== undefined && withoutTime(shown) === withoutTime(last);
    last = shown ?? last;
    return same && !shown.includes('✓') ? undefined : shown;
  };
}

function withoutTime(line: string): string {
  return line.replace(/\d\d:\d\d:\d\d/, '');
}

/** `12:03:04 work       ✓ generate-story succeeded (attempt 1, 2.1 s)` */
function humanLine(part: string, text: string, paint: Paint): string | undefined {
  const line = parse(text);
  if (line === undefined) return text.trim() === '' ? undefined : `${part.padEnd(10)} ${plain(text)}`;
  const body = bodyOf(line, paint);
  if (body === undefined) return undefined;
  const time = new Date(line.time).toTimeString().slice(0, 8);
  return `${paint('dim', `${time} ${part.padEnd(10)}`)} ${body}`;
}

function parse(text: string): LogLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<LogLine> | null;
    const complete = typeof line?.level === 'string' && typeof line.time === 'string';
    return complete && typeof line.message === 'string' ? (line as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

function bodyOf(line: LogLine, paint: Paint): string | undefined {
  if (line.outcome !== undefined && line.attempt !== undefined) return attempt(line, paint);
  // A slow query is for whoever tunes a server; on a newcomer's machine every first one is slow.
  if (line.model !== undefined) return undefined;
  const text = plain(line.error === undefined ? line.message : `${line.message}: ${line.error}`);
  if (line.level === 'error') return paint('red', `✗ ${text}`);
  return line.level === 'warn' ? paint('yellow', `! ${text}`) : undefined;
}

function attempt(line: LogLine, paint: Paint): string {
  const facts = [`attempt ${line.attempt}`, `${((line.durationMs ?? 0) / 1_000).toFixed(1)} s`];
  if (line.code !== undefined) facts.push(line.code);
  if (line.retryInMs !== undefined) facts.push(`again in ${Math.ceil(line.retryInMs / 1_000)} s`);
  const good = line.outcome === 'succeeded';
  const mark = good ? paint('green', '✓') : paint('yellow', '!');
  return `${mark} ${plain(line.kind ?? '')} ${plain(line.outcome ?? '')} (${facts.join(', ')})`;
}
