// The outside services: how they are, and closing or opening the gates of one, or one gate by its name. Both acts may be sent
// twice.
import { request, type Connection } from './request.ts';
import type { ProviderStatus } from './types.ts';

export interface ProvidersClient {
  list: () => Promise<ProviderStatus[]>;
  /** Nobody calls it for `forMs`; its jobs wait and keep their attempts. */
  trip: (providerOrGate: string, trip: { forMs: number; reason: string }) => Promise<ProviderStatus>;
  /** Calls are welcome again, few at first. */
  reset: (providerOrGate: string) => Promise<ProviderStatus>;
}

export function connectProviders(connection: Connection): ProvidersClient {
  const act = (provider: string, name: string, body: object): Promise<ProviderStatus> =>
    request(connection, { path: `/v1/providers/${encodeURIComponent(provider)}/${name}`, body });
  return {
    async list() {
      const { providers } = await request<{ providers: ProviderStatus[] }>(connection, {
        path: '/v1/providers',
      });
      return providers;
    },
    trip: (provider, trip) => act(provider, 'trip', trip),
    reset: (provider) => act(provider, 'reset', {}),
  };
}
