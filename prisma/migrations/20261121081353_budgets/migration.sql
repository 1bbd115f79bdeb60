-- CreateTable
CREATE TABLE "budget" (
    "tenant" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "day_micro_usd" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "budget_pkey" PRIMARY KEY ("tenant","provider")
);

-- CreateTable
CREATE TABLE "spend" (
    "tenant" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "provider" TEXT NOT NULL,
    "micro_usd" BIGINT NOT NULL,
    "alerted_at" TIMESTAMPTZ(6),

    CONSTRAINT "spend_pkey" PRIMARY KEY ("tenant","day","provider")
);

-- Written by hand below: what Prisma's schema language has no word for.
ALTER TABLE "budget" ADD CONSTRAINT "budget_day_micro_usd_check" CHECK ("day_micro_usd" >= 0);

-- The voice that stands in for ElevenLabs.
INSERT INTO "price" ("provider", "model", "unit", "valid_from", "micro_usd", "source") VALUES
  ('deepgram', '*', 'character', '2026-01-01T00:00:00Z', 30, 'Aura-2, pay as you go, 0.030 USD per 1,000 characters, second-hand, 2026');
