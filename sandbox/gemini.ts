// Stands in for Google's Gemini API: stories as JSON, pictures as PNG, over the wire format of v1beta and v1.
import type { Emulator, World } from './frame.ts';

export function geminiEmulator(_world: World): Emulator {
  return {
    provider: 'gemini',
    prefix: '/gemini',
    routes: [],
    notFound: () => ({ status: 404, body: '' }),
  };
}
