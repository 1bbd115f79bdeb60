// A job in words: one line while it changes, its whole life for `jobs show`. Pure.
import type { AttemptStatus, JobStatus } from '../client/index.ts';
import { plain, type Paint, type Style } from './terminal.ts';

const styles: Readonly<Record<string, Style>> = {
  succeeded: 'green',
  dead: 'red',
  expired: 'red',
  cancelled: 'yellow',
  running: 'cyan',
};

function paintState(state: string, paint: Paint): string {
  return paint(styles[state] ?? 'dim', state);
}

/** `generate-story running, 40 %: drawing; family 3 of 9 done` */
export function progressLine(job: JobStatus, paint: Paint): string {
  const { percent, message } = job.progress;
  const parts = [`${job.kind} ${paintState(job.state, paint)}`];
  if (job.state === 'running' && percent > 0)
    parts.push(`${percent} %${message === null ? '' : `: ${plain(message)}`}`);
  if (job.error !== null) parts.push(`${job.error.code}: ${plain(job.error.message)}`);
  if (typeof job.parkedReason === 'string') parts.push(plain(job.parkedReason));
  if (job.tree.total > 0) parts.push(`family ${job.tree.total - job.tree.open} of ${job.tree.total} done`);
  return `${parts.join(', ')}\n`;
}

/** Everything `jobs show` says. */
export function jobText(job: JobStatus, paint: Paint): string {
  const rows: [name: string, value: string, painted?: string][] = [
    ['job', job.id],
    ['kind', `${job.kind} (queue ${job.queue}, ${job.priority})`],
    ['state', job.state, paintState(job.state, paint)],
    ['attempts', `${job.attempt.number} so far, ${job.attempt.failures} of ${job.attempt.of} failed`],
    ['created', job.createdAt],
  ];
  if (!job.final) rows.push(['due', job.runAt], ['progress', `${job.progress.percent} %`]);
  if (job.finishedAt !== null) rows.push(['finished', job.finishedAt]);
  if (job.error !== null) rows.push(['error', `${job.error.code}: ${job.error.message}`]);
  if (typeof job.parkedReason === 'string') rows.push(['why', job.parkedReason]);
  if (job.parentId !== null) rows.push(['parent', job.parentId]);
  if (job.result !== null) rows.push(['result', JSON.stringify(job.result)]);
  const table = rows.map(
    ([name, value, painted = plain(value)]) => `${paint('bold', name.padEnd(9))} ${painted}\n`,
  );
  return [...table, ...children(job, paint), ...attempts(job), ...steps(job)].join('');
}

function children(job: JobStatus, paint: Paint): string[] {
  if (job.children.length === 0) return [];
  const lines = job.children.map(({ id, kind, state }) => `  ${id}  ${kind} ${paintState(state, paint)}\n`);
  return [`children, ${job.tree.total - job.tree.open} of ${job.tree.total} in the family done:\n`, ...lines];
}

function attempts({ attempts: told = [] }: JobStatus): string[] {
  const lines = told.map((one) => {
    const why = one.code === null ? '' : `, ${one.code}: ${plain(one.message ?? '')}`;
    return `attempt ${one.attempt}: ${one.startedAt}, ${spanOf(one)}, ${one.outcome}${why}${whereOf(one)}\n`;
  });
  const hidden = (told[0]?.attempt ?? 1) - 1;
  return hidden > 0 ? [`attempts before ${hidden + 1} are not shown\n`, ...lines] : lines;
}

function spanOf({ startedAt, endedAt }: AttemptStatus): string {
  return endedAt === null
    ? 'until now'
    : `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000).toFixed(1)} s`;
}

function whereOf({ workerId }: AttemptStatus): string {
  return workerId === null ? '' : `, worker ${workerId}`;
}

function steps(job: JobStatus): string[] {
  return (job.steps ?? []).map(
    ({ name, attempt, durationMs, microUsd }) =>
      `step ${plain(name)}: attempt ${attempt}, ${(durationMs / 1_000).toFixed(1)} s, about $${(microUsd / 1e6).toFixed(4)}\n`,
  );
}
