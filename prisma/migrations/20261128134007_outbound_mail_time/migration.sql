-- Prisma fills now() in from the clock of its own process; this one it leaves to the database.
ALTER TABLE "outbound_mail" ALTER COLUMN "sent_at" SET DEFAULT clock_timestamp();
