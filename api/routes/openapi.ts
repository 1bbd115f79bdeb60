// The OpenAPI document, made from the schemas that check the requests: it cannot say anything else than the code does.
import type { ApiDeps, Route } from '../deps.ts';
import { send } from '../exchange.ts';
import { openapiDocument } from '../openapi.ts';

export function openapiRoutes(deps: ApiDeps): Route[] {
  let body: string | undefined;
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      query: [],
      run(exchange) {
        body ??= JSON.stringify(openapiDocument(deps.registry, deps.publicUrl));
        const headers = [
          'Content-Type',
          'application/json; charset=utf-8',
          'Cache-Control',
          'private, max-age=300',
        ];
        send(exchange, { status: 200, headers, body });
      },
    },
  ];
}
