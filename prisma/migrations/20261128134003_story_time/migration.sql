-- Prisma fills now() in from the clock of its own process; this one it leaves to the database.
ALTER TABLE "story" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();
