// Covers: shared/events.ts, shared/call.ts, shared/sandbox-keys.ts
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { ConfigError, Failure, Problem, problems, toError } from '../../shared/errors.ts';
import { createEvents } from '../../shared/events.ts';

test('whatever was thrown becomes an Error with a text', () => {
  const thrown: unknown[] = [
    undefined,
    null,
    'text',
    7n,
    Symbol('s'),
    {},
    Object.create(null),
    { message: Object.create(null) },
    [],
    () => 1,
  ];
  for (const value of thrown) expect(toError(value).message).toEqual(expect.any(String));
  const own = new Failure('timeout', 'late');
  expect(toError(own)).toBe(own);
  const foreign: unknown = runInNewContext('Object.assign(new Error("far"), { code: "ECONNRESET" })');
  expect(toError(foreign)).toMatchObject({ message: 'far', code: 'ECONNRESET' });
  const refused = Object.assign(new AggregateError([new Error('refused'), own]), { code: 'ECONNREFUSED' });
  expect(toError(refused)).toBe(refused);
  expect(refused).toMatchObject({ message: 'refused', code: 'ECONNREFUSED' });
  expect(toError(new AggregateError([], '')).message).toBe('');
});

test('every problem code has a status of an error and a title', () => {
  for (const [code, [status, title]] of Object.entries(problems))
    expect([code, status >= 400 && status < 600, title.length > 0]).toEqual([code, true, true]);
  expect(new Problem('job_not_found', 'gone').status).toBe(404);
});

test('a configuration error says everything at once', () => {
  expect(new ConfigError(['A is missing', 'B is wrong']).message).toMatch(/A is missing\n.*B is wrong/);
});

test('a listener that throws is passed over, and the others are told in order', () => {
  const events = createEvents();
  const told: string[] = [];
  events.on('notice', () => {
    throw new Error('a broken log');
  });
  events.on('notice', ({ message }) => void told.push(message));
  events.emit('notice', { level: 'info', message: 'one' });
  events.emit('notice', { level: 'info', message: 'two' });
  expect(told).toEqual(['one', 'two']);
});
