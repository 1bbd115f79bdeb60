-- CreateTable
CREATE TABLE "engine_epoch" (
    "id" SMALLINT NOT NULL DEFAULT 1,
    "epoch" UUID NOT NULL,
    "count" BIGINT NOT NULL,
    "instance" TEXT NOT NULL,
    "recoveries" INTEGER NOT NULL DEFAULT 0,
    "agreed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "engine_epoch_pkey" PRIMARY KEY ("id")
);
