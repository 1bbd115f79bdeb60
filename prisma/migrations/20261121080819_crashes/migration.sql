-- AlterTable
ALTER TABLE "job" ADD COLUMN     "crashes" SMALLINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "worker" ADD COLUMN     "crash_reason" TEXT,
ADD COLUMN     "crashed_at" TIMESTAMPTZ(6),
ADD COLUMN     "draining_at" TIMESTAMPTZ(6),
ADD COLUMN     "open_attempts" INTEGER;

-- Written by hand below: what Prisma's schema language has no word for.

-- The quarantine lane: how deep it is, and what is parked before it.
CREATE INDEX "job_lane_idx" ON "job" ("state", "run_at")
  WHERE "crashes" >= 2 AND "state" IN ('scheduled', 'waiting', 'running', 'retrying', 'snoozed', 'parked');

-- What a process that was taken for dead is acquitted of.
CREATE INDEX "attempt_crashed_idx" ON "attempt" ("worker_id") WHERE "outcome" = 'crashed';
