// Reports through the real handler: the file, its link, its mail, and whose rows are in it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readArtifact, readParts } from '../../ledger/queries-artifacts.ts';
import { prune } from '../../ledger/retention.ts';
import { verifyLink } from '../../ledger/links.ts';
import { sha256 } from '../../shared/text.ts';
import { addStory, linkSecret, openStoryWorld, type StoryWorld } from './story-world.ts';

let world: StoryWorld;
beforeAll(async () => {
  world = await openStoryWorld();
});
afterAll(async () => {
  await world.close();
});

const period = { from: '2026-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' };

const welcome = {
  template: 'welcome' as const,
  to: 'a@example.com',
  variables: { name: 'Bo', link: 'https://x.test' },
};

async function fileOf(jobId: string) {
  const job = await world.db.prisma.job.findUniqueOrThrow({ where: { id: jobId } });
  expect([job.state, job.errorMessage]).toEqual(['succeeded', null]);
  const result = job.result as unknown as { artifactId: string; rows: number; bytes: number; link: string };
  const artifact = await world.db.prisma.artifact.findUniqueOrThrow({ where: { id: result.artifactId } });
  const view = await readArtifact(world.db, result.artifactId, job.tenant);
  const parts: Buffer[] = [];
  if (view !== undefined) for await (const part of readParts(world.db, view)) parts.push(part);
  const bytes = Buffer.concat(parts);
  return { result, artifact, parts, bytes, lines: bytes.toString('utf8').trimEnd().split('\r\n') };
}

test('costs show every charge of the tenant, in a file that is kept for 30 days', async () => {
  const storyId = await addStory(world);
  const drawing = await world.run('generate-images', { storyId, page: 0 });
  await world.run('generate-images', { storyId, page: 1 });
  await world.run('send-email', welcome, 'rival');
  const id = await world.run('generate-report', { report: 'costs', ...period });
  const { result, artifact, lines } = await fileOf(id);
  const charges = await world.db.prisma.charge.findMany({ where: { tenant: 'acme' } });
  expect(lines[0]).toBe('\uFEFFday,job,kind,step,provider,model,units,usd');
  expect(lines).toHaveLength(charges.length + 1);
  expect(result.rows).toBe(charges.length);
  expect(lines.some((line) => line.includes(`${drawing},generate-images,draw,gemini`))).toBe(true);
  const dollars = lines.slice(1).reduce((sum, line) => sum + Number(line.split(',').at(-1)), 0);
  expect(dollars).toBeCloseTo(charges.reduce((sum, { microUsd }) => sum + Number(microUsd), 0) / 1e6, 6);
  expect(artifact).toMatchObject({
    tenant: 'acme',
    contentType: 'text/csv; charset=utf-8',
    fileName: 'costs-2026-01-01-to-2030-01-01.csv',
  });
  const days = (artifact.expiresAt.getTime() - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(29.9);
  expect(result.link).toContain(result.artifactId);
  expect(result.bytes).toBe(artifact.size);
});

test('a report can be mailed, as a link', async () => {
  const id = await world.run('generate-report', { report: 'usage', ...period, notify: 'ops@example.com' });
  const { result, lines } = await fileOf(id);
  expect(lines[0]).toBe('\uFEFFday,kind,jobs,succeeded,dead,cancelled,expired,attempts,snoozes');
  expect(lines.some((line) => /^\d{4}-\d\d-\d\d,process-image,2,2,0,0,0,2,0$/.test(line))).toBe(true);
  const row = await world.db.prisma.report.findUniqueOrThrow({ where: { jobId: id } });
  expect(row).toMatchObject({ report: 'usage', rows: result.rows, artifactId: result.artifactId });
  const answer = await fetch(`${world.sandbox.url}/mailbox.json?to=ops@example.com`);
  const { mails } = (await answer.json()) as { mails: { subject: string; text: string }[] };
  expect(mails.map(({ subject }) => subject)).toEqual(['Report ready: usage (csv)']);
  expect(mails[0]?.text).toContain(result.link);
});

test('the link of a report works for as many days as the mail says, and its file is kept for as many', async () => {
  const to = 'audit@example.com';
  const id = await world.run('generate-report', { report: 'usage', ...period, notify: to });
  const { result, artifact } = await fileOf(id);
  const answer = await fetch(`${world.sandbox.url}/mailbox.json?to=${to}`);
  const { mails } = (await answer.json()) as { mails: { text: string }[] };
  const said = Number(/The link works for (\d+) days/.exec(mails[0]?.text ?? '')?.[1]);
  const { searchParams } = new URL(result.link);
  const given = {
    expires: searchParams.get('expires') ?? '',
    signature: searchParams.get('signature') ?? '',
  };
  const lastHourMs = Date.now() + said * 86_400_000 - 3_600_000;
  expect(verifyLink(linkSecret, result.artifactId, given, lastHourMs)).toBe(true);
  expect(verifyLink(linkSecret, result.artifactId, given, lastHourMs + 7_200_000)).toBe(false);
  expect(artifact.expiresAt.getTime()).toBeGreaterThan(lastHourMs);
});

/** So many charges of a tenant, a few milliseconds apart. */
async function addCharges(tenant: string, count: number): Promise<void> {
  await world.db.prisma.$executeRaw`
    INSERT INTO charge (id, job_id, step, tenant, kind, provider, model, usage, micro_usd, created_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'page-' || n, ${tenant}, 'generate-images', 'gemini', 'm',
      '[{"unit":"image","quantity":1}]', 67000, '2026-11-20T12:00:00Z'::timestamptz + n * interval '3 ms'
    FROM generate_series(1, ${count}::int) n`;
}

function stepsIn(lines: readonly string[]): (string | undefined)[] {
  return lines.slice(1).map((line) => line.split(',')[3]);
}

test('a report over many parts has every row once, and its size and hash are of the whole file', async () => {
  const count = 30_000;
  await addCharges('large', count);
  const id = await world.run('generate-report', { report: 'costs', ...period }, 'large');
  const { result, artifact, parts, bytes, lines } = await fileOf(id);
  expect(parts.length).toBeGreaterThan(3);
  expect(artifact).toMatchObject({
    bytes: null,
    size: bytes.length,
    contentType: 'text/csv; charset=utf-8',
    fileName: 'costs-2026-01-01-to-2030-01-01.csv',
  });
  expect(Buffer.from(artifact.sha256).equals(sha256(bytes))).toBe(true);
  expect(result).toMatchObject({ rows: count, bytes: bytes.length });
  expect(stepsIn(lines)).toEqual(Array.from({ length: count }, (_, index) => `page-${index + 1}`));
});

test('a report that broke off in the middle is begun again, and nothing is doubled or left', async () => {
  const count = 15_000;
  await addCharges('broken', count);
  for (const sql of [
    'CREATE SEQUENCE storytime.part_falls', // what it gives is not taken back with the statement that fails
    `CREATE FUNCTION storytime.fall_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('storytime.part_falls') = 1 THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$`,
    `CREATE TRIGGER fall BEFORE INSERT ON storytime.artifact_part FOR EACH ROW WHEN (NEW.n = 1) EXECUTE FUNCTION storytime.fall_once()`,
  ])
    await world.db.prisma.$executeRawUnsafe(sql);
  const id = await world.run('generate-report', { report: 'costs', ...period }, 'broken');
  const { result, lines } = await fileOf(id);
  expect(stepsIn(lines)).toEqual(Array.from({ length: count }, (_, index) => `page-${index + 1}`));
  expect(await world.db.prisma.attempt.count({ where: { jobId: id } })).toBe(2);
  await prune(world.db);
  expect(await world.db.prisma.artifact.findMany({ where: { jobId: id }, select: { id: true } })).toEqual([
    { id: result.artifactId },
  ]);
  expect(await world.db.prisma.report.count({ where: { jobId: id } })).toBe(1);
});
