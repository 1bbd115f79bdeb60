// Loaded into a real process before anything else (`node --import`). It stops the process at a named moment of
// shared/points.ts, and moves its clock. Both are told by files that are read again while the process runs:
// FAULTS_PLAN  JSON [{ point, action: 'kill' | 'stop', nth?, times?, kind?, step? }]: SIGKILL or SIGSTOP of this process at the nth
//              time (default 1) it gets there; at most `times` (default 1) over all processes that share the plan.
// FAULTS_CLOCK a number: milliseconds that `Date` is ahead of the machine's clock. What is in force is in `<file>.shown`.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

const { FAULTS_PLAN: planFile, FAULTS_CLOCK: clockFile } = process.env;
const points = ['enqueue.committed', 'dispatch.added', 'attempt.begun', 'step.answered', 'attempt.finishing'];

function read(file, otherwise) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

function watchPoints() {
  let plan = [];
  const seen = new Map();
  const look = () => {
    try {
      plan = JSON.parse(read(planFile, '[]'));
    } catch {
      // half written: the next look finds it whole
    }
  };
  look();
  setInterval(look, 100).unref();
  for (const point of points)
    subscribe(`storytime:${point}`, (moment) =>
      plan.forEach((entry, index) => {
        if (entry.point === point && fits(entry, moment)) arrive(entry, index, moment);
      }),
    );

  function arrive(entry, index, { jobId, step }) {
    const count = (seen.get(index) ?? 0) + 1;
    seen.set(index, count);
    if (count < (entry.nth ?? 1)) return;
    const fired = read(`${planFile}.fired`, '')
      .split('\n')
      .filter((line) => line.startsWith(`{"entry":${index},`));
    if (fired.length >= (entry.times ?? 1)) return;
    appendFileSync(
      `${planFile}.fired`,
      `${JSON.stringify({ entry: index, point: entry.point, jobId, step, pid: process.pid, at: Date.now() })}\n`,
    );
    process.kill(process.pid, entry.action === 'stop' ? 'SIGSTOP' : 'SIGKILL');
  }
}

function fits({ kind, step }, moment) {
  return (kind ?? moment.kind) === moment.kind && (step ?? moment.step) === moment.step;
}

function moveClock() {
  const Real = Date;
  let ahead = 0;
  const look = () => {
    const told = Number(read(clockFile, '0')) || 0;
    if (told !== ahead) writeFileSync(`${clockFile}.shown`, String(told));
    ahead = told;
  };
  look();
  setInterval(look, 200).unref();
  globalThis.Date = class Date extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + ahead);
      else super(...given);
    }
    static now() {
      return Real.now() + ahead;
    }
  };
}

// Not in the quarantine lane: a kill by the plan there would be the death of a job that two others had hit before.
if (planFile !== undefined && !process.argv.includes('--lane')) watchPoints();
if (clockFile !== undefined) moveClock();
