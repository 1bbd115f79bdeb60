// The product without an engine: a real ledger, the real host and handlers, real providers against the sandbox. What the
// relay would carry to the engine is kept in a list, and `run` delivers it until nothing is left.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../shared/config.ts';
import { createEvents } from '../../shared/events.ts';
import { newId } from '../../shared/ids.ts';
import { sandboxKeys } from '../../shared/sandbox-keys.ts';
import { checkJob } from '../../queues/check.ts';
import { registry, type Payloads } from '../../queues/index.ts';
import { createAttempts } from '../../ledger/attempts.ts';
import { createLedgerClock } from '../../ledger/clock.ts';
import { openDb, type Db } from '../../ledger/db.ts';
import { createEnqueue } from '../../ledger/enqueue.ts';
import { newJob, type Dispatch } from '../../ledger/insert.ts';
import { createLinks, storyFolder } from '../../ledger/links.ts';
import { saveStory } from '../../ledger/stories.ts';
import { createProviders } from '../../providers/create.ts';
import type { Providers } from '../../providers/ports.ts';
import { startSandbox, type Sandbox } from '../../sandbox/server.ts';
import type { Services } from '../../workers/define.ts';
import { WorkerHost } from '../../workers/host.ts';
import { workers } from '../../workers/index.ts';
import { Running } from '../../workers/running.ts';
import { createDatabase } from '../support/database.ts';

export interface StoryWorld {
  db: Db;
  sandbox: Sandbox;
  services: Services;
  /** Accepts a job of tenant `acme` (or another) and runs it and its children to their ends. Gives its id. */
  run: <Kind extends keyof Payloads>(kind: Kind, payload: Payloads[Kind], tenant?: string) => Promise<string>;
  /** The next call of the operation fails in this way, so many times. */
  fault: (provider: string, operation: string, fault: unknown, times?: number) => Promise<void>;
  close: () => Promise<void>;
}

export const linkSecret = 'the secret of the links of these tests';

/** `change` replaces parts of the real providers, e.g. a small limit. */
export async function openStoryWorld(
  change: (providers: Providers) => Partial<Providers> = () => ({}),
): Promise<StoryWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'storytime-handlers-'));
  const [database, sandbox] = await Promise.all([
    createDatabase(),
    startSandbox({ dataDir, keys: sandboxKeys }),
  ]);
  const { emit } = createEvents();
  const db = openDb({ url: database.url, poolSize: 8, statementTimeoutMs: 10_000, emit });
  const config = loadConfig({
    NODE_ENV: 'test',
    STORYTIME_SANDBOX: 'on',
    STORYTIME_SANDBOX_URL: sandbox.url,
    STORYTIME_SANDBOX_SMTP_URL: sandbox.smtpUrl,
    STORYTIME_BREAKER: 'off',
  });
  const providers = createProviders(config, { emit });
  const links = { secret: linkSecret, publicUrl: 'http://127.0.0.1:4000', now: createLedgerClock(db).now };
  const artifactLink = createLinks(links);
  const folder = (id: string): string => storyFolder(linkSecret, id);
  const services = { ...providers, ...change(providers), db, artifactLink, storyFolder: folder };
  const hosts = hostAll(db, services, emit);
  return {
    db,
    sandbox,
    services,
    async run(kind, payload, tenant = 'acme') {
      const checked = checkJob(registry, { kind, payload }, Date.now());
      const { id } = await hosts.enqueue({ job: newJob(checked, { tenant, source: 'api' }), key: undefined });
      await hosts.deliver();
      return id;
    },
    async fault(provider, operation, fault, times = 1) {
      const answer = await fetch(`${sandbox.url}/_sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ provider, operation, fault, times }),
      });
      if (answer.status !== 201) throw new Error(await answer.text());
    },
    async close() {
      await providers.close();
      await sandbox.close();
      await db.close();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const pages = [1, 2, 3].map((number) => ({
  text: `Page ${number}.`,
  scene: `A fox under tree number ${number}`,
}));

/** A story with three pages and nothing else; gives its id. Cheaper than writing and narrating one. */
export async function addStory({ db }: StoryWorld): Promise<string> {
  const id = newId();
  const story = {
    childName: 'Ada',
    age: 6,
    theme: 'a fox',
    language: 'en',
    title: 'The Fox',
    moral: 'Be kind.',
  };
  const row = { ...story, id, jobId: id, tenant: 'acme', artDirection: 'watercolour', model: 'm' };
  await db.prisma.$transaction((tx) => saveStory(tx, { ...row, pages }));
  return id;
}

function hostAll(db: Db, services: Services, emit: ReturnType<typeof createEvents>['emit']) {
  const pending: Dispatch[] = [];
  const onCommitted = (rows: readonly Dispatch[]): void => void pending.push(...rows);
  const workerId = newId();
  const attempts = createAttempts({ db, workerId, leaseMs: 60_000, emit, onCommitted });
  // Never started: no attempt of a test outlives its lease.
  const running = new Running({ attempts, leaseMs: 60_000, renewMs: 20_000, emit });
  const leaving = new AbortController().signal;
  const hosts = new Map(
    workers.map((definition) => [
      definition.queue.name,
      new WorkerHost({ definition, registry, attempts, running, db, services, emit, workerId, leaving }),
    ]),
  );
  async function start(dispatch: Dispatch): Promise<void> {
    const { id: jobId, generation, kind, queue, tenant, summary } = dispatch;
    // A retry is due later; the test does not wait for it.
    const statement = { name: 'test_due', text: 'UPDATE job SET run_at = clock_timestamp() WHERE id = $1' };
    await db.run(statement, [jobId]);
    const data = { jobId, generation, attempt: '1/1', tenant, summary };
    await hosts.get(queue)?.process({ data, kind, queue, showProgress: () => undefined });
  }
  return {
    enqueue: createEnqueue({ db, emit, onCommitted }),
    async deliver() {
      while (pending.length > 0) await Promise.all(pending.splice(0, 4).map(start));
    },
  };
}
