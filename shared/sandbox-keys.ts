// The development keys of the sandbox: fixed and well known, so that whoever starts it and whoever calls it agree.
// They open nothing but the sandbox; a real key never has one of these values.

/** What the sandbox accepts and what the providers send to it. */
export const sandboxKeys = {
  gemini: 'sandbox-gemini-key',
  elevenlabs: 'sandbox-elevenlabs-key',
  deepgram: 'sandbox-deepgram-key',
  cloudinary: { cloud: 'storytime-dev', key: '100000000000001', secret: 'sandbox-cloudinary-secret' },
  smtp: { user: 'storytime', password: 'sandbox-smtp-password' },
} as const;
