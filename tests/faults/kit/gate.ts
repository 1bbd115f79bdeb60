// The gate of a provider as an operator sees it: `GET /v1/providers/:provider` of the row's API, asked ten times a second.
import type { World } from './world.ts';

export interface GateRecord {
  /** `open`, or its state and what closed it, as `closed: unavailable`. */
  now: () => Promise<string>;
  /** Every different one so far. Ends the record. */
  seen: () => readonly string[];
}

/** What the API shows of it is a second old at most. */
export function watchGate({ env, key }: Pick<World, 'env' | 'key'>, provider: string): GateRecord {
  const url = `http://127.0.0.1:${env['STORYTIME_API_PORT'] ?? ''}/v1/providers/${provider}`;
  const seen = new Set<string>();

  async function now(): Promise<string> {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
    const { gate } = (await answer.json()) as { gate: { state: string; reason: string | null } };
    return gate.state === 'open' ? 'open' : `${gate.state}: ${gate.reason}`;
  }

  const look = async (): Promise<void> => void seen.add(await now());
  const timer = setInterval(() => void look().catch(() => undefined), 100).unref();
  return {
    now,
    seen() {
      clearInterval(timer);
      return [...seen];
    },
  };
}
