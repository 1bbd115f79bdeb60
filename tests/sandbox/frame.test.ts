import { test, expect } from '@jest/globals';
import { escapeHtml, findRoute, type Route } from '../../sandbox/frame.ts';

const route = (method: string, pattern: string | RegExp): Route => ({
  method,
  pattern,
  accept: () => ({ status: 200, body: '' }),
});

test('a route is found by method and whole path, with its captures decoded', () => {
  const routes = [route('GET', '/v1/voices/:id'), route('POST', /^\/v1\/models\/([^/:]+):generate$/)];
  expect(findRoute(routes, 'GET', '/v1/voices/a%20b')?.params).toEqual(['a b']);
  expect(findRoute(routes, 'HEAD', '/v1/voices/a')?.params).toEqual(['a']);
  expect(findRoute(routes, 'POST', '/v1/models/m-1.5:generate')?.params).toEqual(['m-1.5']);
  expect(findRoute(routes, 'GET', '/v1/voices/a/b')).toBeUndefined();
  expect(findRoute(routes, 'DELETE', '/v1/voices/a')).toBeUndefined();
  expect(findRoute(routes, 'GET', '/v1/voices/%zz')?.params).toEqual(['%zz']);
  expect(findRoute([route('GET', '/a.b')], 'GET', '/axb')).toBeUndefined();
});

test('text in a page is never markup', () => {
  expect(escapeHtml(`<img src="x" onerror='a&b'>`)).toBe(
    '&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt;',
  );
});
