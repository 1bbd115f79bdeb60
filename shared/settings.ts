// Every setting of a server: its schema with the default, and the sentence that .env.example and docs/configuration.md show.
// Data; read from the environment by shared/config.ts alone.
import { z } from 'zod';
import { isCloudinaryAccount, isReadByPostgres, isSender, loginOf } from './addresses.ts';
import { parseRedisUrl } from './redis-address.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.enum(['on', 'off']);
const url = (...schemes: string[]) =>
  z
    .string()
    .refine((text) => schemes.some((scheme) => text.startsWith(`${scheme}://`)) && URL.canParse(text), {
      message: `must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
      abort: true,
    });
/** What paths are appended to: a slash at its end would stand there twice, and open nothing. */
const base = (...schemes: string[]) =>
  url(...schemes)
    .refine((text) => !/[?#]/.test(text), 'must end with its host or path, without ? and #')
    .overwrite((text) => text.replace(/\/+$/, ''));
const decoded = (parts: string) => ({
  message: `cannot be decoded; write a % in its ${parts} as %25`,
  abort: true,
});

const databaseUrl = url('postgres', 'postgresql').refine(
  isReadByPostgres,
  decoded('user, password or database'),
);
const cloudinaryUrl = url('cloudinary')
  .refine((text) => loginOf(text) !== undefined, decoded('key or secret'))
  .refine(isCloudinaryAccount, 'lacks a part; write cloudinary://key:secret@cloud');
const smtpUrl = url('smtp', 'smtps').refine(
  (text) => loginOf(text) !== undefined,
  decoded('user or password'),
);

const redisUrl = z.string().refine((text) => parseRedisUrl(text) !== undefined, {
  message:
    'must be redis://host:port, redis+sentinel://host:port,host:port/name or redis+cluster://host:port,host:port',
});

/** One row a variable: its schema (with the default) and the sentence that .env.example and docs/configuration.md show. */
export const settings = {
  NODE_ENV: [
    z.enum(['production', 'development', 'test']).default('development'),
    '`production` refuses defaults that only suit development.',
  ],
  DATABASE_URL: [
    databaseUrl.optional(),
    'PostgreSQL for the ledger; required in production; without it an embedded server is started otherwise.',
  ],
  REDIS_URL: [
    redisUrl.optional(),
    'Redis for the engine: `redis://host:6379`, `redis+sentinel://host:26379,host:26379/mymaster` or `redis+cluster://host:7000,host:7000` (`rediss` for TLS); without it the engine runs in PostgreSQL.',
  ],
  GEMINI_API_KEY: [z.string().min(1).optional(), 'Google Gemini: stories and pictures.'],
  ELEVENLABS_API_KEY: [z.string().min(1).optional(), 'ElevenLabs: narration.'],
  DEEPGRAM_API_KEY: [z.string().min(1).optional(), 'Deepgram: the independent check of a narration.'],
  CLOUDINARY_URL: [cloudinaryUrl.optional(), 'Cloudinary: `cloudinary://key:secret@cloud`.'],
  SMTP_URL: [smtpUrl.optional(), 'The mail server: `smtps://user:password@host:465`.'],
  STORYTIME_SANDBOX: [
    z.enum(['auto', 'on', 'off']).optional(),
    '`auto`: the sandbox where a key is missing; `on`: keys are ignored; `off`: a missing key is an error (default in production).',
  ],
  STORYTIME_SANDBOX_URL: [
    base('http').default('http://127.0.0.1:4002'),
    'Where the sandbox answers for the HTTP providers.',
  ],
  STORYTIME_SANDBOX_SMTP_URL: [url('smtp').default('smtp://127.0.0.1:4003'), 'Where the sandbox takes mail.'],
  STORYTIME_HOME: [
    z.string().min(1).default('.storytime'),
    'Folder of the embedded database, the sandbox uploads and the development key.',
  ],
  STORYTIME_HOST: [z.string().min(1).default('127.0.0.1'), 'Address the API and the dashboard listen on.'],
  STORYTIME_API_PORT: [port.default(4000), 'Port of the enqueue API.'],
  STORYTIME_DASHBOARD_PORT: [port.default(4001), 'Port of Bull Board and the operations page.'],
  STORYTIME_SANDBOX_HOST: [
    z.string().min(1).default('127.0.0.1'),
    'Address the sandbox listens on; it has no login and shows all mail.',
  ],
  STORYTIME_SANDBOX_PORT: [port.default(4002), 'Port of the sandbox.'],
  STORYTIME_SANDBOX_SMTP_PORT: [port.default(4003), 'Port of the sandbox mail server.'],
  STORYTIME_WORK_HOST: [
    z.string().min(1).default('127.0.0.1'),
    'Address a work process answers probes and shows metrics on; it asks for no key.',
  ],
  STORYTIME_WORK_PORT: [
    port.default(4004),
    'Port where a work process answers /livez, /readyz and /metrics; 0 takes a free one.',
  ],
  STORYTIME_PUBLIC_URL: [
    base('http', 'https').optional(),
    'Address of the API as users see it, for links, also those in mails; required in production, where the API listens otherwise.',
  ],
  STORYTIME_DASHBOARD_PUBLIC_URL: [
    url('http', 'https').optional(),
    'Address of the dashboard as operators see it; `https:` makes its cookie Secure and bound to the host, and sends HSTS.',
  ],
  STORYTIME_LINK_SECRET: [
    z.string().min(32, 'must have at least 32 characters').optional(),
    'Signs links to artifacts; required in production, which refuses one repeated character; kept in STORYTIME_HOME otherwise.',
  ],
  STORYTIME_LOG_LEVEL: [
    z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
    'The least level that is logged.',
  ],
  STORYTIME_MAIL_FROM: [
    z
      .string()
      .refine(isSender, 'is no sender; write it as Storytime <stories@example.com>')
      .default('Storytime <stories@storytime.example>'),
    'Sender of all mail.',
  ],
  STORYTIME_GEMINI_STORY_MODEL: [z.string().min(1).default('gemini-3.8-flash'), 'Gemini model for the text.'],
  STORYTIME_GEMINI_IMAGE_MODEL: [
    z.string().min(1).default('gemini-3.1-flash-image'),
    'Gemini model for the pictures.',
  ],
  STORYTIME_ELEVENLABS_MODEL: [z.string().min(1).default('eleven_multilingual_v2'), 'ElevenLabs model.'],
  STORYTIME_ELEVENLABS_VOICE: [
    z
      .string()
      .regex(/^[A-Za-z0-9]{10,40}$/)
      .default('21m00Tcm4TlvDq8ikWAM'),
    'Voice used when a payload names none: 10 to 40 letters and digits.',
  ],
  STORYTIME_DEEPGRAM_MODEL: [z.string().min(1).default('nova-3'), 'Deepgram model.'],
  STORYTIME_FALLBACK_VOICES: [
    z
      .string()
      .regex(/^(none|[a-z0-9-]+-[a-z]{2}(,[a-z0-9-]+-[a-z]{2})*)$/, 'must be voices that end with a language')
      .default('aura-2-thalia-en,aura-2-celeste-es,aura-2-viktoria-de,aura-2-agathe-fr,aura-2-livia-it'),
    'Deepgram voices that narrate when ElevenLabs cannot, one a language; `none`: the story is published without narration.',
  ],
  STORYTIME_LEDGER_POOL: [whole(2, 100).default(10), 'Connections to the ledger per process.'],
  STORYTIME_CONCURRENCY_SCALE: [
    z.coerce.number().min(0.1).max(20).default(1),
    'Factor on the concurrency of every queue of this work process.',
  ],
  STORYTIME_LEASE_MS: [
    whole(500, 600_000).default(15_000),
    'How long a running attempt stays ours without a renewal, in ms.',
  ],
  STORYTIME_RENEW_MS: [
    whole(100, 300_000).default(5_000),
    'How often leases are renewed, in ms; at most a third of the lease.',
  ],
  STORYTIME_SWEEP_MS: [
    whole(100, 300_000).default(5_000),
    'How often maintenance looks for lost and undispatched jobs, in ms.',
  ],
  STORYTIME_RECONCILE_MS: [
    whole(100, 3_600_000).default(30_000),
    'How often the engine is asked whether it still is the one that the ledger knows, in ms.',
  ],
  STORYTIME_AGEING_MS: [
    whole(1_000, 86_400_000).default(600_000),
    'How long one of the 200 oldest jobs of a queue may wait behind others, in ms; after half of it, it joins the line of the high ones (job-states.md).',
  ],
  STORYTIME_GRACE_MS: [
    whole(100, 600_000).default(20_000),
    'How long a stopping process lets its jobs finish, in ms; under `storytime up` at most 4,500.',
  ],
  STORYTIME_DRAIN_MS: [
    whole(0, 600_000).optional(),
    'How long a stopping API goes on accepting while its /readyz already says 503, in ms, so that a load balancer turns away first; at most the grace time, and part of it. Default: 5,000 in production, 0 otherwise and under `storytime up`.',
  ],
  STORYTIME_DAILY_BUDGET_USD: [
    z.coerce.number().min(0).max(1_000_000).optional(),
    'What a tenant may spend at all providers in a day (UTC), in estimated dollars. A row of table `budget` for provider `*` goes before it, one for a single provider is a further limit (money.md).',
  ],
  STORYTIME_GATE_MS: [
    whole(100, 300_000).default(15_000),
    'How long nobody calls a provider after an outage, in ms; twice as long each time in a row, up to twenty times.',
  ],
  STORYTIME_PROVIDER_TIMEOUT_MS: [
    whole(100, 600_000).optional(),
    'Limit of one provider call, in ms; default: the own limit of each provider, 30 to 90 s. An upload to Cloudinary has 1 ms more for each 100 bytes, the search of the history of ElevenLabs always 30 s.',
  ],
  STORYTIME_BREAKER: [flag.default('on'), 'Circuit breakers around the providers.'],
} as const satisfies Record<string, readonly [z.ZodType, string]>;
