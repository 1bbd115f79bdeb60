-- Prisma fills now() in from the clock of its own process; this one it leaves to the database.
ALTER TABLE "step" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
ALTER TABLE "charge" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
ALTER TABLE "story" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
ALTER TABLE "image" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
ALTER TABLE "narration" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
ALTER TABLE "report" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
ALTER TABLE "outbound_mail" ALTER COLUMN "sent_at" SET DEFAULT clock_timestamp();
