-- AlterTable
ALTER TABLE "artifact" ADD COLUMN     "draft_attempt_no" INTEGER,
ALTER COLUMN "bytes" DROP NOT NULL;

-- CreateTable
CREATE TABLE "artifact_part" (
    "artifact_id" UUID NOT NULL,
    "n" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "artifact_part_pkey" PRIMARY KEY ("artifact_id","n")
);

-- AddForeignKey
ALTER TABLE "artifact_part" ADD CONSTRAINT "artifact_part_artifact_id_fkey" FOREIGN KEY ("artifact_id") REFERENCES "artifact"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Written by hand below: what Prisma's schema language has no word for.

-- Drafts of attempts that may have died: the pruner looks for them again and again, and there are next to none.
CREATE INDEX "artifact_draft_idx" ON "artifact" ("job_id") WHERE "draft_attempt_no" IS NOT NULL;
