// Steps: run once, remember, return what is remembered. Result, charges, artifacts and domain rows commit together, fenced
// by the attempt number, so a step whose answer we hold is never paid for again and a stale attempt can store nothing.
import type { Charge } from '../shared/call.ts';
import { toStorableJson } from '../shared/text.ts';
import { Draft, sealDraft, type Kept } from './artifact-parts.ts';
import { readArtifact, storeArtifact, type ArtifactRef } from './artifacts.ts';
import { recordCharges } from './charges.ts';
import type { Begun } from './begin.ts';
import type { Db, Tx } from './db.ts';
import { fence } from './fence.ts';
import type { Prisma } from './generated/prisma/client.ts';

/** A step's value as it is remembered: bytes and files at the top level become references to artifacts. */
export type Remembered<T> = T extends Kept
  ? ArtifactRef
  : T extends object
    ? { [Key in keyof T]: T[Key] extends Kept ? ArtifactRef : T[Key] }
    : T;

export interface StepCommit<T> {
  name: string;
  value: T;
  charges: readonly Charge[];
  durationMs: number;
  /** Writes domain rows in the same transaction. */
  save?: (tx: Tx, value: Remembered<T>) => Promise<void>;
}

const inlineLimitBytes = 65_536;
const jsonType = 'application/json';
/** A step keeps its own result: with an end of a week the pruner would meet more and more of them, and may delete none. */
const ownLifetimeMs = 100 * 365 * 86_400_000;

/** The results of all steps of a job that succeeded so far, by name. */
export async function readSteps(db: Db, jobId: string): Promise<Map<string, unknown>> {
  const rows = await db.prisma.step.findMany({
    where: { jobId },
    select: { name: true, result: true, artifactId: true },
  });
  const entries = rows.map(async ({ name, result, artifactId }): Promise<[string, unknown]> => {
    if (artifactId === null) return [name, result];
    const { bytes } = await readArtifact(db, artifactId);
    return [name, JSON.parse(Buffer.from(bytes).toString('utf8'))];
  });
  return new Map(await Promise.all(entries));
}

// It met a closed gate: what it had said before that, if anything, is remembered. Any other end may hide a call that was lost, also
// one that tells of another provider. Only ElevenLabs can be asked, so only its gate counts.
const nothingLost = `message LIKE 'elevenlabs % failed: its gate is closed%'`;
const readLost = {
  name: 'attempt_lost_answer',
  text: `SELECT 1 FROM attempt WHERE job_id = $1 AND (outcome = 'snoozed' AND ${nothingLost}) IS NOT TRUE LIMIT 1`,
};

/** Whether an earlier attempt of the job may have lost an answer of ElevenLabs: all did that were not kept away by its closed gate. */
export async function mayHaveLost(db: Db, { jobId, attemptNo }: Begun): Promise<boolean> {
  return attemptNo > 1 && (await db.run(readLost, [jobId])).length > 0;
}

interface StoredStep<T> {
  value: Remembered<T>;
  /** What each charge costs, in estimated millionths of a dollar. */
  microUsd: number[];
}

/** Stores a step that has just succeeded. Throws FencedError when the attempt is no longer the current one. */
export async function commitStep<T>(db: Db, begun: Begun, step: StepCommit<T>): Promise<StoredStep<T>> {
  try {
    return await writeStep(db, begun, step);
  } catch (thrown) {
    // A name is used once in an attempt, so this is our own commit, sent again because its answer was lost.
    if (!isDuplicate(thrown)) throw thrown;
    const steps = await readSteps(db, begun.jobId);
    if (!steps.has(step.name)) throw thrown; // another row of `save` is the duplicate
    return { value: steps.get(step.name) as Remembered<T>, microUsd: [] };
  }
}

function isDuplicate(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'P2002';
}

async function writeStep<T>(db: Db, begun: Begun, step: StepCommit<T>): Promise<StoredStep<T>> {
  return db.prisma.$transaction(
    async (tx) => {
      await fence(tx, begun);
      const json = toStorableJson(await storeBytes(tx, begun, step.value));
      const value = JSON.parse(json) as Remembered<T>; // what a retry will be given: no run may see anything else
      const large = Buffer.byteLength(json) > inlineLimitBytes;
      const artifact = large
        ? await storeArtifact(tx, begun, {
            bytes: Buffer.from(json),
            contentType: jsonType,
            lifetimeMs: ownLifetimeMs,
          })
        : undefined;
      const result = large || value === null ? {} : { result: value as Prisma.InputJsonValue };
      await tx.step.create({
        data: {
          jobId: begun.jobId,
          name: step.name,
          attemptNo: begun.attemptNo,
          artifactId: artifact?.artifactId ?? null,
          durationMs: step.durationMs,
          ...result,
        },
      });
      await step.save?.(tx, value);
      const microUsd = await recordCharges(tx, begun, step.name, step.charges);
      return { value, microUsd };
    },
    { timeout: 10_000, maxWait: 5_000 },
  );
}

/** Charges of calls that were accepted but whose step failed: the money is gone, so it is written all the same. */
export async function commitLostCharges(
  db: Db,
  begun: Begun,
  step: string,
  charges: readonly Charge[],
): Promise<number[]> {
  if (charges.length === 0) return [];
  return db.prisma.$transaction((tx) => recordCharges(tx, begun, step, charges));
}

const anyType = 'application/octet-stream';

async function storeBytes<T>(tx: Tx, begun: Begun, value: T): Promise<Remembered<T>> {
  if (isKept(value)) return (await storeKept(tx, begun, value, anyType)) as Remembered<T>;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as Remembered<T>;
  const given = 'contentType' in value && typeof value.contentType === 'string' ? value.contentType : anyType;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = isKept(inner) ? await storeKept(tx, begun, inner, given) : inner;
  }
  return copy as Remembered<T>;
}

function isKept(value: unknown): value is Kept {
  return value instanceof Uint8Array || value instanceof Draft;
}

async function storeKept(tx: Tx, begun: Begun, kept: Kept, contentType: string): Promise<ArtifactRef> {
  if (kept instanceof Draft) return sealDraft(tx, kept, contentType);
  return storeArtifact(tx, begun, { bytes: kept, contentType });
}
