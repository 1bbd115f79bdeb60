-- AlterTable
ALTER TABLE "gate" ADD COLUMN     "closed_at" TIMESTAMPTZ(6),
ADD COLUMN     "closed_by" TEXT,
ADD COLUMN     "closings" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "max_calls" INTEGER,
ADD COLUMN     "max_calls_until" TIMESTAMPTZ(6),
ADD COLUMN     "note" TEXT,
ADD COLUMN     "probe_id" UUID,
ADD COLUMN     "probe_until" TIMESTAMPTZ(6),
ADD COLUMN     "reopened_at" TIMESTAMPTZ(6);

-- CreateTable
CREATE TABLE "provider_minute" (
    "provider" TEXT NOT NULL,
    "minute" TIMESTAMPTZ(6) NOT NULL,
    "calls" INTEGER NOT NULL,
    "errors" INTEGER NOT NULL,
    "buckets" INTEGER[],

    CONSTRAINT "provider_minute_pkey" PRIMARY KEY ("provider","minute")
);

-- CreateIndex
CREATE INDEX "provider_minute_minute_idx" ON "provider_minute"("minute");

-- CreateIndex
CREATE INDEX "charge_created_at_idx" ON "charge"("created_at");
