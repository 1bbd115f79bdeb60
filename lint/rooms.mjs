// The house in one table: every folder, what it is for, whom it may import, and the one home of each outside package.
// lint/write.mjs turns it into the linter's rules and into docs/architecture.md; tsconfig, Jest and knip read the names from here in a test.

/** Folder -> { about, imports }: `imports` lists the other folders it may import; `types` those it may import types from. */
export const rooms = {
  client: {
    about: 'what the main API installs: typed, plain fetch, always sends an idempotency key',
    imports: [],
    types: ['queues'],
  },
  api: { about: 'the thin enqueue API: app, keys, limits, routes', imports: ['shared', 'queues', 'ledger'] },
  queues: {
    about: 'which jobs exist: names, payload and result schemas, policies; data, no I/O',
    imports: ['shared'],
  },
  engine: {
    about: 'the only folder that knows BullMQ and ioredis; Redis or PostgreSQL',
    imports: ['shared', 'queues'],
  },
  ledger: {
    about: 'every read and write of PostgreSQL; the only folder that knows Prisma',
    imports: ['shared', 'queues', 'engine'],
  },
  workers: {
    about: 'runs the jobs: the host, one handler per kind, maintenance',
    imports: ['shared', 'queues', 'engine', 'ledger', 'providers'],
  },
  providers: {
    about: 'the outside services, one file each, behind small ports and one guard',
    imports: ['shared'],
  },
  dashboard: {
    about: 'Bull Board (read-only) and the operations page, behind a login',
    imports: ['shared', 'queues', 'engine', 'ledger'],
  },
  cli: {
    about: '`storytime <noun> <verb>`: the only process entry and the only place where all parts meet',
    imports: [
      'shared',
      'queues',
      'engine',
      'ledger',
      'api',
      'workers',
      'providers',
      'dashboard',
      'sandbox',
      'client',
    ],
  },
  shared: {
    about: 'knows nothing about jobs: config, errors, events, log, metrics, ids, lifecycle, batcher, text',
    imports: [],
  },
  sandbox: {
    about: 'stands in for the five providers over real HTTP and SMTP; faults on request',
    imports: ['shared'],
  },
  bench: {
    about: 'speed beside what a user would pick instead, as ratios in one run',
    imports: ['shared', 'queues', 'engine', 'ledger', 'api', 'workers', 'providers', 'cli'],
  },
};

/** Outside package -> the folders (or files) that may import it. */
export const homes = {
  bullmq: ['engine', 'bench'],
  ioredis: ['engine', 'bench'],
  '@prisma/**': ['ledger'],
  pg: ['ledger', 'engine', 'bench'],
  '@google/genai': ['providers/gemini.ts'],
  '@elevenlabs/**': ['providers/elevenlabs.ts'],
  '@deepgram/**': ['providers/deepgram.ts'],
  cloudinary: ['providers/cloudinary.ts'],
  nodemailer: ['providers/smtp.ts'],
  opossum: ['providers/guard-breaker.ts'],
  'p-retry': ['providers/guard-tries.ts'],
  '@bull-board/**': ['dashboard'],
  pino: ['shared/log.ts'],
  'prom-client': ['shared/metrics.ts'],
  commander: ['cli'],
  express: ['api/app.ts', 'dashboard', 'bench'],
  helmet: ['api/exchange.ts'],
  'zod-openapi': ['api/openapi.ts'],
  eta: ['workers/mail/layout.ts', 'dashboard/views.ts'],
  'csv-stringify': ['workers/reporting/csv.ts'],
  'file-type': ['workers/pictures/clean.ts'],
  'fastest-levenshtein': ['workers/narration/word-error-rate.ts'],
  sharp: ['workers/pictures/clean.ts', 'sandbox'],
  'smtp-server': ['sandbox/smtp.ts'],
  'postal-mime': ['sandbox/mailbox.ts'],
  '@breezystack/**': ['sandbox/mp3-speak.ts'],
  autocannon: ['bench'],
  'graphile-worker': ['bench'],
};
