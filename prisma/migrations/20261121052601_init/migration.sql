-- CreateEnum
CREATE TYPE "job_state" AS ENUM ('blocked', 'scheduled', 'waiting', 'running', 'retrying', 'snoozed', 'parked', 'succeeded', 'dead', 'cancelled', 'expired');

-- CreateEnum
CREATE TYPE "attempt_outcome" AS ENUM ('succeeded', 'failed', 'snoozed', 'interrupted', 'lost', 'crashed', 'cancelled');

-- CreateTable
CREATE TABLE "job" (
    "id" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "queue" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "state" "job_state" NOT NULL,
    "priority" SMALLINT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "attempt_no" INTEGER NOT NULL DEFAULT 0,
    "failures" SMALLINT NOT NULL DEFAULT 0,
    "open_children" INTEGER NOT NULL DEFAULT 0,
    "progress" SMALLINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "run_at" TIMESTAMPTZ(6) NOT NULL,
    "give_up_at" TIMESTAMPTZ(6) NOT NULL,
    "dispatched_at" TIMESTAMPTZ(6),
    "claimed_until" TIMESTAMPTZ(6),
    "started_at" TIMESTAMPTZ(6),
    "lease_until" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),
    "cancel_requested_at" TIMESTAMPTZ(6),
    "worker_id" UUID,
    "parent_id" UUID,
    "root_id" UUID,
    "waiter_id" UUID,
    "api_key_id" UUID,
    "request_id" TEXT,
    "summary" TEXT NOT NULL DEFAULT '',
    "progress_message" TEXT,
    "error_code" TEXT,
    "error_message" TEXT,
    "dispatch_error" TEXT,
    "payload" JSONB NOT NULL,
    "result" JSONB,

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attempt" (
    "job_id" UUID NOT NULL,
    "attempt_no" INTEGER NOT NULL,
    "generation" INTEGER NOT NULL,
    "outcome" "attempt_outcome" NOT NULL,
    "code" TEXT,
    "message" TEXT,
    "stack" TEXT,
    "worker_id" UUID,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "attempt_pkey" PRIMARY KEY ("job_id","attempt_no")
);

-- CreateTable
CREATE TABLE "step" (
    "job_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "attempt_no" INTEGER NOT NULL,
    "result" JSONB,
    "artifact_id" UUID,
    "duration_ms" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "step_pkey" PRIMARY KEY ("job_id","name")
);

-- CreateTable
CREATE TABLE "artifact" (
    "id" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "content_type" TEXT NOT NULL,
    "file_name" TEXT,
    "sha256" BYTEA NOT NULL,
    "size" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "artifact_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "charge" (
    "id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "step" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "request_id" TEXT,
    "usage" JSONB NOT NULL,
    "micro_usd" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "charge_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "price" (
    "provider" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "unit" TEXT NOT NULL,
    "valid_from" TIMESTAMPTZ(6) NOT NULL,
    "micro_usd" DECIMAL(20,6) NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "price_pkey" PRIMARY KEY ("provider","model","unit","valid_from")
);

-- CreateTable
CREATE TABLE "idempotency" (
    "tenant" TEXT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "body_hash" BYTEA NOT NULL,
    "job_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "idempotency_pkey" PRIMARY KEY ("tenant","endpoint","key")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "tenant" TEXT NOT NULL,
    "scopes" TEXT[],
    "tier" TEXT NOT NULL DEFAULT 'standard',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),
    "last_used_at" TIMESTAMPTZ(6),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "hash" BYTEA NOT NULL,
    "api_key_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "worker" (
    "id" UUID NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "queues" TEXT[],
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seen_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stopped_at" TIMESTAMPTZ(6),

    CONSTRAINT "worker_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gate" (
    "provider" TEXT NOT NULL,
    "open_until" TIMESTAMPTZ(6) NOT NULL,
    "reason" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gate_pkey" PRIMARY KEY ("provider")
);

-- CreateTable
CREATE TABLE "leader" (
    "duty" TEXT NOT NULL,
    "holder" UUID NOT NULL,
    "until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "leader_pkey" PRIMARY KEY ("duty")
);

-- CreateTable
CREATE TABLE "story" (
    "id" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "child_name" TEXT NOT NULL,
    "age" SMALLINT NOT NULL,
    "theme" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "moral" TEXT NOT NULL,
    "art_direction" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "degraded" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "published_at" TIMESTAMPTZ(6),

    CONSTRAINT "story_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "page" (
    "story_id" UUID NOT NULL,
    "number" SMALLINT NOT NULL,
    "text" TEXT NOT NULL,
    "scene" TEXT NOT NULL,

    CONSTRAINT "page_pkey" PRIMARY KEY ("story_id","number")
);

-- CreateTable
CREATE TABLE "image" (
    "story_id" UUID NOT NULL,
    "page" SMALLINT NOT NULL,
    "public_id" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "variants" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "image_pkey" PRIMARY KEY ("story_id","page")
);

-- CreateTable
CREATE TABLE "narration" (
    "story_id" UUID NOT NULL,
    "voice_id" TEXT NOT NULL,
    "audio_url" TEXT NOT NULL,
    "captions_url" TEXT NOT NULL,
    "duration_seconds" DOUBLE PRECISION NOT NULL,
    "characters" INTEGER NOT NULL,
    "transcript" TEXT NOT NULL,
    "word_error_rate" DOUBLE PRECISION NOT NULL,
    "flagged" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "narration_pkey" PRIMARY KEY ("story_id")
);

-- CreateTable
CREATE TABLE "report" (
    "id" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "report" TEXT NOT NULL,
    "period_from" TIMESTAMPTZ(6) NOT NULL,
    "period_to" TIMESTAMPTZ(6) NOT NULL,
    "rows" INTEGER NOT NULL,
    "artifact_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "report_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbound_mail" (
    "job_id" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "response" TEXT NOT NULL,
    "sent_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbound_mail_pkey" PRIMARY KEY ("job_id")
);

-- CreateIndex
CREATE INDEX "step_artifact_id_idx" ON "step"("artifact_id");

-- CreateIndex
CREATE INDEX "artifact_job_id_idx" ON "artifact"("job_id");

-- CreateIndex
CREATE INDEX "artifact_expires_at_idx" ON "artifact"("expires_at");

-- CreateIndex
CREATE INDEX "charge_job_id_idx" ON "charge"("job_id");

-- CreateIndex
CREATE INDEX "charge_tenant_created_at_id_idx" ON "charge"("tenant", "created_at", "id");

-- CreateIndex
CREATE INDEX "idempotency_expires_at_idx" ON "idempotency"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_prefix_key" ON "api_key"("prefix");

-- CreateIndex
CREATE INDEX "session_api_key_id_idx" ON "session"("api_key_id");

-- CreateIndex
CREATE INDEX "session_expires_at_idx" ON "session"("expires_at");

-- CreateIndex
CREATE INDEX "worker_seen_at_idx" ON "worker"("seen_at");

-- CreateIndex
CREATE UNIQUE INDEX "story_job_id_key" ON "story"("job_id");

-- CreateIndex
CREATE UNIQUE INDEX "report_job_id_key" ON "report"("job_id");

-- CreateIndex
CREATE INDEX "report_artifact_id_idx" ON "report"("artifact_id");

-- CreateIndex
CREATE UNIQUE INDEX "outbound_mail_message_id_key" ON "outbound_mail"("message_id");

-- AddForeignKey
ALTER TABLE "step" ADD CONSTRAINT "step_artifact_id_fkey" FOREIGN KEY ("artifact_id") REFERENCES "artifact"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_api_key_id_fkey" FOREIGN KEY ("api_key_id") REFERENCES "api_key"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "page" ADD CONSTRAINT "page_story_id_fkey" FOREIGN KEY ("story_id") REFERENCES "story"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image" ADD CONSTRAINT "image_story_id_fkey" FOREIGN KEY ("story_id") REFERENCES "story"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "narration" ADD CONSTRAINT "narration_story_id_fkey" FOREIGN KEY ("story_id") REFERENCES "story"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "report" ADD CONSTRAINT "report_artifact_id_fkey" FOREIGN KEY ("artifact_id") REFERENCES "artifact"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Written by hand below: what Prisma's schema language has no word for.

-- A job row is rewritten at every move: room on its page, and dead versions swept early.
ALTER TABLE "job" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2);

-- The relay's sweep: rows that nobody has carried to the engine yet.
CREATE INDEX "job_undispatched_idx" ON "job" ("claimed_until")
  WHERE "dispatched_at" IS NULL AND "state" IN ('scheduled', 'waiting', 'retrying', 'snoozed');

-- Depth and age by queue, the rescuer, blocked waiters: open jobs only, so the index stays as small as the backlog.
CREATE INDEX "job_open_idx" ON "job" ("state", "queue", "run_at")
  WHERE "state" IN ('blocked', 'scheduled', 'waiting', 'running', 'retrying', 'snoozed', 'parked');

-- Recent failures.
CREATE INDEX "job_dead_idx" ON "job" ("finished_at" DESC, "queue") WHERE "state" = 'dead';

-- The family: children, the whole tree, who waits.
CREATE INDEX "job_parent_idx" ON "job" ("parent_id") WHERE "parent_id" IS NOT NULL;
CREATE INDEX "job_root_idx" ON "job" ("root_id") WHERE "root_id" IS NOT NULL;
CREATE INDEX "job_waiter_idx" ON "job" ("waiter_id") WHERE "waiter_id" IS NOT NULL;

ALTER TABLE "job" ADD CONSTRAINT "job_priority_check" CHECK ("priority" BETWEEN 1 AND 100);
ALTER TABLE "job" ADD CONSTRAINT "job_open_children_check" CHECK ("open_children" >= 0);
ALTER TABLE "job" ADD CONSTRAINT "job_progress_check" CHECK ("progress" BETWEEN 0 AND 100);

-- Estimated prices in millionths of a dollar a unit; change them by adding a row with a later date.
INSERT INTO "price" ("provider", "model", "unit", "valid_from", "micro_usd", "source") VALUES
  ('gemini', '*', 'input_token', '2026-01-01T00:00:00Z', 0.75, 'ai.google.dev pricing, 3.8 Flash, read 2026-10-07'),
  ('gemini', '*', 'output_token', '2026-01-01T00:00:00Z', 3.75, 'ai.google.dev pricing, 3.8 Flash, read 2026-10-07'),
  ('gemini', '*', 'input_token', '2027-01-01T00:00:00Z', 1.50, 'ai.google.dev pricing, 3.8 Flash from 2027, read 2026-10-07'),
  ('gemini', '*', 'output_token', '2027-01-01T00:00:00Z', 7.50, 'ai.google.dev pricing, 3.8 Flash from 2027, read 2026-10-07'),
  ('gemini', 'gemini-3.1-flash-image', 'image', '2026-01-01T00:00:00Z', 67000, 'Puter cost map, 1K image, read 2026-10'),
  ('gemini', 'gemini-3.1-flash-image', 'output_token', '2026-01-01T00:00:00Z', 0, 'counted by the image'),
  ('elevenlabs', '*', 'character', '2026-01-01T00:00:00Z', 100, 'pay as you go, multilingual v2, 2026-05'),
  ('elevenlabs', 'eleven_flash_v2_5', 'character', '2026-01-01T00:00:00Z', 50, 'pay as you go, flash v2.5, 2026-05'),
  ('deepgram', '*', 'second', '2026-01-01T00:00:00Z', 128.333333, 'nova-3 pre-recorded, 0.0077 USD a minute, 2026-08-01'),
  ('cloudinary', '*', 'upload', '2026-01-01T00:00:00Z', 440, 'Plus plan, 225 credits for 99 USD'),
  ('cloudinary', '*', 'transformation', '2026-01-01T00:00:00Z', 440, 'Plus plan, 1,000 transformations a credit'),
  ('cloudinary', '*', 'byte', '2026-01-01T00:00:00Z', 0.000410, 'Plus plan, 1 GB a credit'),
  ('smtp', '*', 'message', '2026-01-01T00:00:00Z', 0, 'own mail server');
