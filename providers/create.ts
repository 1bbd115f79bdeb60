// All five providers from the configuration: real where there is a key, the sandbox where there is none.
// Keys and addresses come from here alone; what an SDK would read from the environment by itself is overridden.
import { providerOf, type GateName } from '../shared/call.ts';
import { isSandboxed, type Config } from '../shared/config.ts';
import type { Emit } from '../shared/events.ts';
import { sandboxKeys } from '../shared/sandbox-keys.ts';
import { parseCloudinaryUrl, type CloudinaryAccount } from './cloudinary-wire.ts';
import { createCloudinary } from './cloudinary.ts';
import { createDeepgram } from './deepgram.ts';
import { createElevenLabs } from './elevenlabs.ts';
import { createGemini } from './gemini.ts';
import type { Gate } from './guard-gate.ts';
import { createGuard, type Guard } from './guard.ts';
import type { Providers } from './ports.ts';
import { createSmtp } from './smtp.ts';

export interface ProvidersOptions {
  emit: Emit;
  /** A gate that all processes share, by its name; without it each process knows only its own breakers. */
  gateOf?: (name: GateName) => Gate;
}

/** Where a provider with a plain key lives: `{ apiKey }` for the real one, plus `baseUrl` for the sandbox. */
function place(
  config: Config,
  name: 'GEMINI_API_KEY' | 'ELEVENLABS_API_KEY' | 'DEEPGRAM_API_KEY',
  provider: 'gemini' | 'elevenlabs' | 'deepgram',
): { apiKey: string; baseUrl?: string } {
  const apiKey = config[name];
  if (!isSandboxed(config, name) && apiKey !== undefined) return { apiKey };
  return { apiKey: sandboxKeys[provider], baseUrl: sandboxUrl(config, provider) };
}

function sandboxUrl(config: Config, prefix: string): string {
  return `${config.STORYTIME_SANDBOX_URL.replace(/\/+$/, '')}/${prefix}`;
}

function cloudinaryPlace(config: Config): CloudinaryAccount & { baseUrl?: string } {
  const url = config.CLOUDINARY_URL;
  if (!isSandboxed(config, 'CLOUDINARY_URL') && url !== undefined) return parseCloudinaryUrl(url);
  return { ...sandboxKeys.cloudinary, baseUrl: sandboxUrl(config, 'cloudinary') };
}

function smtpPlace(config: Config): { url: string; tls: boolean } {
  const url = config.SMTP_URL;
  if (!isSandboxed(config, 'SMTP_URL') && url !== undefined) return { url, tls: true };
  const sandbox = new URL(config.STORYTIME_SANDBOX_SMTP_URL);
  sandbox.username = sandboxKeys.smtp.user;
  sandbox.password = sandboxKeys.smtp.password;
  return { url: sandbox.href, tls: false };
}

type GuardOf = (gate: GateName) => Guard;

/** The limit of one call, where somebody set one. */
function limitOf({ STORYTIME_PROVIDER_TIMEOUT_MS: deadlineMs }: Config): { deadlineMs?: number } {
  return deadlineMs === undefined ? {} : { deadlineMs };
}

function withKeys(config: Config, guardOf: GuardOf): Omit<Providers, 'smtp'> {
  const limit = limitOf(config);
  return {
    gemini: createGemini({
      ...place(config, 'GEMINI_API_KEY', 'gemini'),
      storyModel: config.STORYTIME_GEMINI_STORY_MODEL,
      imageModel: config.STORYTIME_GEMINI_IMAGE_MODEL,
      guards: { text: guardOf('gemini-text'), pictures: guardOf('gemini-pictures') },
      ...limit,
    }),
    elevenlabs: createElevenLabs({
      ...place(config, 'ELEVENLABS_API_KEY', 'elevenlabs'),
      model: config.STORYTIME_ELEVENLABS_MODEL,
      defaultVoiceId: config.STORYTIME_ELEVENLABS_VOICE,
      guard: guardOf('elevenlabs'),
      ...limit,
    }),
    deepgram: createDeepgram({
      ...place(config, 'DEEPGRAM_API_KEY', 'deepgram'),
      model: config.STORYTIME_DEEPGRAM_MODEL,
      voices: config.STORYTIME_FALLBACK_VOICES.split(',').filter((voice) => voice !== 'none'),
      guard: guardOf('deepgram'),
      ...limit,
    }),
    cloudinary: createCloudinary({ ...cloudinaryPlace(config), guard: guardOf('cloudinary'), ...limit }),
  };
}

/** Opens nothing: SDKs are loaded and connections made by the first call. `close` ends breakers and mail connections. */
export function createProviders(
  config: Config,
  options: ProvidersOptions,
): Providers & { close: () => Promise<void> } {
  const guards: Guard[] = [];
  const guardOf: GuardOf = (gateName) => {
    const gate = options.gateOf?.(gateName);
    const breaker = config.STORYTIME_BREAKER === 'on';
    const guard = createGuard({
      provider: providerOf(gateName) ?? gateName,
      gateName,
      emit: options.emit,
      breaker,
      ...(gate === undefined ? {} : { gate }),
    });
    guards.push(guard);
    return guard;
  };
  const smtp = createSmtp({
    ...smtpPlace(config),
    from: config.STORYTIME_MAIL_FROM,
    guard: guardOf('smtp'),
    ...limitOf(config),
  });
  return {
    ...withKeys(config, guardOf),
    smtp,
    close() {
      for (const guard of guards) guard.close();
      smtp.close();
      return Promise.resolve();
    },
  };
}
