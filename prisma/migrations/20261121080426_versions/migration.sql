-- AlterTable
ALTER TABLE "job" ADD COLUMN     "aged_from" SMALLINT,
ADD COLUMN     "parked_for" TEXT,
ADD COLUMN     "payload_version" SMALLINT NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "worker" ADD COLUMN     "knows" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "schema_floor" (
    "migration" TEXT NOT NULL,
    "raised_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schema_floor_pkey" PRIMARY KEY ("migration")
);
