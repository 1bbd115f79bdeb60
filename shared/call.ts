// What a provider call is told and what it tells: the seam between a job's step and an outside service.
// Neither side knows the other: providers report what was used, the ledger prices it and stores it with the step.

/** The outside services, in the order in which they are shown. */
export const providerNames = ['gemini', 'elevenlabs', 'deepgram', 'cloudinary', 'smtp'] as const;
export type ProviderName = (typeof providerNames)[number];

/**
 * What is closed, limited and opened as one: of most providers all of it, of Gemini each model, because Google's limits and
 * quotas are per model. No name of these is that of a provider with several.
 */
export const gateNames = {
  gemini: ['gemini-text', 'gemini-pictures'],
  elevenlabs: ['elevenlabs'],
  deepgram: ['deepgram'],
  cloudinary: ['cloudinary'],
  smtp: ['smtp'],
} as const satisfies Record<ProviderName, readonly string[]>;
export type GateName = (typeof gateNames)[ProviderName][number];

/** The provider behind a gate; undefined for a name that is none. */
export function providerOf(gate: string): ProviderName | undefined {
  return providerNames.find((provider) => gateNames[provider].some((name) => name === gate));
}

/**
 * A quantity that the vendor bills: `input_token`, `output_token`, `image`, `character`, `second`, `message`, `upload`.
 * A `character` of ElevenLabs is one of its credits, of which some models take half of one for a character of the text.
 */
export interface Usage {
  unit: string;
  quantity: number;
}

/** What one accepted call used, in the vendor's own units. */
export interface Charge {
  provider: ProviderName;
  /** The model (or product) that really answered, as the vendor names it. */
  model: string;
  usage: readonly Usage[];
  /** The vendor's request id, when it gives one: what was charged under one id is recorded once, whoever reports it. */
  requestId?: string;
}

export interface Call {
  /** `<job id>:<step name>`, sent as `x-storytime-step` so that a bill can be joined with the ledger. */
  step: string;
  /** Aborts when the job is cancelled, timed out, fenced off or handed back. */
  signal: AbortSignal;
  /**
   * An earlier attempt of the job may have made this call, at this moment (ms since 1970) or later, and lost its answer:
   * whoever can ask the vendor for that answer asks before it pays again. Left out: this is the first time.
   */
  mayHaveRunSinceMs?: number;
  /** Resolves when the tenant may spend at this provider; asked right before a call that costs. `quota_exhausted` when not. */
  afford: (provider: Charge['provider']) => Promise<void>;
  /** Records what an accepted call used. Called once per accepted request, before the answer is judged. */
  charge: (charge: Charge) => void;
}
