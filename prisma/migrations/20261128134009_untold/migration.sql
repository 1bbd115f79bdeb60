CREATE INDEX CONCURRENTLY "job_untold_idx" ON "job" ("claimed_until") WHERE "dispatched_at" IS NULL AND "state" = 'dead';
