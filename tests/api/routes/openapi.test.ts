import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiRoutes } from '../../../api/app.ts';
import { registry } from '../../../queues/index.ts';
import { problems } from '../../../shared/errors.ts';
import { ask, depsOf, openApi, type ApiWorld } from '../world.ts';

interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, { requestBody?: object; security?: object[] }>>;
  components: { schemas: Record<string, { properties: Record<string, { enum?: string[] }> }> };
}

let world: ApiWorld;
let document: Document;
beforeAll(async () => {
  world = await openApi({ publicUrl: 'https://jobs.example' });
  document = (await (await ask(world, '/openapi.json', { key: 'reader' })).json()) as Document;
});
afterAll(() => world.close());

test('the document describes every route of the API and no other', () => {
  const routes = apiRoutes(depsOf(world));
  const real = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const told = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(told.sort()).toEqual(real.filter((route) => !route.includes('openapi.json')).sort());
  expect(document.openapi).toBe('3.1.0');
  expect(document.servers).toEqual([{ url: 'https://jobs.example' }]);
});

test('every kind is one form of the enqueue request, every problem code is listed', () => {
  const request = JSON.stringify(document.paths['/v1/jobs']?.['post']?.requestBody);
  for (const kind of registry.kinds.keys()) expect(request).toContain(`"const":"${kind}"`);
  expect(request).toContain('oneOf');
  expect(document.components.schemas['Problem']?.properties['code']?.enum).toEqual(Object.keys(problems));
});
