// The one sentence on top of the operations page: either all is well, or what is not, worst first. Pure.
import type { QueueStats } from '../ledger/queries-queues.ts';

export interface QueueLine extends QueueStats {
  queue: string;
}

/** A queue is late when a job that could run has waited longer than this, in seconds. */
export const targetSeconds = 120;
/** A queue is sick when more jobs than this died within a day. */
const deadLimit = 100;

const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

export function verdict(lines: readonly QueueLine[]): { good: boolean; sentence: string } {
  const late = lines
    .filter((line) => line.oldestWaitingSeconds > targetSeconds)
    .sort((a, b) => b.oldestWaitingSeconds - a.oldestWaitingSeconds)
    .map((line) => `${line.queue} is ${duration(line.oldestWaitingSeconds)} late`);
  const sick = lines
    .filter((line) => line.deadLastDay >= deadLimit)
    .map((line) => `${line.deadLastDay} jobs of ${line.queue} died in the last day`);
  const wrong = [...late, ...sick];
  if (wrong.length > 0) return { good: false, sentence: `${wrong.join(', ')}.` };
  return { good: true, sentence: `All ${words[lines.length] ?? lines.length} queues within target.` };
}

/** `0 s`, `47 s`, `14 min`, `3 h 5 min`, `2 d 4 h`: the two units a person reads. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
