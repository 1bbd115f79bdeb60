// What processes said: personal data and stray errors in logs, metrics and problems, and what the log tells of outcomes.
import type { Evidence } from './check.ts';
import type { Member } from './fleet.ts';

/** Where a canary is, or an error that nobody meant to write. */
export function leaks({ members, caller, texts, canaries }: Evidence, logAllowed?: RegExp): string[] {
  const logs = members.flatMap(({ name, lines }) =>
    lines
      .filter((line) => isForbidden(line, canaries) && logAllowed?.test(line) !== true)
      .map((line) => `${name}: ${line.slice(0, 300)}`),
  );
  const problems = caller.sent.flatMap(({ body = '' }) => (holds(body, canaries) ? `problem: ${body}` : []));
  return [
    ...logs,
    ...problems,
    ...texts.filter((text) => holds(text, canaries)).map((text) => text.slice(0, 300)),
  ];
}

function isForbidden(line: string, canaries: readonly string[]): boolean {
  return holds(line, canaries) || /UnhandledPromise|TypeError|ReferenceError|a fault of ours/.test(line);
}

function holds(text: string, canaries: readonly string[]): boolean {
  return canaries.some((canary) => text.includes(canary));
}

/** Jobs whose final outcome was recorded more than once, by the lines that say so. */
export function toldTwice(members: readonly Member[]): string[] {
  const ended = members
    .flatMap(({ lines }) => lines)
    .filter((line) => /"state":"(succeeded|dead|cancelled|expired)".*"recorded":true/.test(line))
    .flatMap((line) => /"jobId":"([^"]+)"/.exec(line)?.[1] ?? []);
  const seen = new Set<string>();
  return ended.flatMap((id) => (seen.has(id) ? `${id} ended twice` : (seen.add(id), [])));
}

/** Outcomes that were not recorded, of attempts that had been superseded. */
export function countRefused(members: readonly Member[]): number {
  const lines = members.flatMap((member) => member.lines);
  return lines.filter((line) => line.includes('"recorded":false')).length;
}
