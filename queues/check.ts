// The schema check of an enqueue request, the same for HTTP, for children and for other code's transactions. Pure.
// Everything wrong is reported at once (up to 20 errors, each with a JSON Pointer), before any side effect.
import { z } from 'zod';
import { Problem, problems, type FieldError, type ProblemCode } from '../shared/errors.ts';
import { hasForbiddenCharacters, nearest, quoted } from '../shared/text.ts';
import { knownFields } from './known-fields.ts';
import type { RegisteredKind, Registry } from './registry.ts';

export const priorities = { high: 1, normal: 5, low: 10 } as const;
export type Priority = keyof typeof priorities;

/** A request that may be written to the ledger. */
export interface CheckedJob {
  kind: RegisteredKind;
  payload: unknown;
  priority: number;
  /** Milliseconds from now, or a moment; neither means now. */
  delayMs: number | undefined;
  runAt: Date | undefined;
}

const dayMs = 86_400_000;
const maxErrors = 20;

/** What may stand beside kind and payload; `delayMs` and `runAt` exclude each other. */
export const optionsSchema = z.strictObject({
  priority: z.enum(['high', 'normal', 'low']).default('normal'),
  delayMs: z
    .int()
    .min(0)
    .max(30 * dayMs, 'must be at most 30 days')
    .optional(),
  runAt: z.iso
    .datetime({ offset: true, error: 'must be a moment with a zone, like 2026-11-21T08:00:00Z' })
    .optional(),
});

/** Checks `{ kind, payload, options? }`. Throws a Problem; `nowMs` judges how far `runAt` may lie from now. */
export function checkJob(registry: Registry, body: unknown, nowMs: number): CheckedJob {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem(
      'object_required',
      'the request failed: the body must be a JSON object with kind and payload',
    );
  }
  const given = body as Record<string, unknown>;
  const errors: FieldError[] = [];
  checkStorable(body, [], errors);
  const flaws = [...errors];
  errors.push(...unknownKeys(given));
  const kind = findKind(registry, given['kind'], errors);
  const options = collect(
    optionsSchema,
    given['options'] === undefined ? {} : given['options'],
    '/options',
    errors,
  );
  const payload =
    kind === undefined ? undefined : collect(kind.definition.payload, given['payload'], '/payload', errors);
  const runAt = options === undefined ? undefined : checkTimes(options, nowMs, errors);
  if (errors.length > 0 || kind === undefined || options === undefined)
    throw refusal(withoutEchoes(errors, flaws));
  return { kind, payload, priority: priorities[options.priority], delayMs: options.delayMs, runAt };
}

/** What cannot be kept is no right value either: said twice, the common code would be lost and the caller told less. */
function withoutEchoes(errors: readonly FieldError[], flaws: readonly FieldError[]): FieldError[] {
  const flawed = new Set(flaws.map(({ pointer }) => pointer));
  return errors.filter((error, at) => at < flaws.length || !flawed.has(error.pointer));
}

/** A Problem from field errors: their common code, or `validation_failed` when they differ. */
export function refusal(errors: readonly FieldError[]): Problem {
  const codes = new Set(errors.map((error) => error.code));
  const code: ProblemCode = codes.size === 1 ? (errors[0]?.code ?? 'validation_failed') : 'validation_failed';
  const first = errors[0];
  const where = first === undefined ? '' : `: ${first.pointer || 'the body'} ${first.message}`;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new Problem(code, `the request failed${where}${more}`, { errors: errors.slice(0, maxErrors) });
}

function unknownKeys(given: Record<string, unknown>): FieldError[] {
  const known = ['kind', 'payload', 'options'];
  return Object.keys(given)
    .filter((key) => !known.includes(key) && !hasForbiddenCharacters(key)) // such a key was told already
    .slice(0, maxErrors) // a guess costs time: ten thousand of them would hold up everyone else
    .map((key) => unknownField(pointerOf([key]), key, known));
}

function unknownField(pointer: string, key: string, known: readonly string[]): FieldError {
  const guess = nearest(key, known);
  return {
    pointer,
    code: 'unknown_field',
    message: `is not a field here${guess === undefined ? '' : `; did you mean ${guess}?`}`,
  };
}

function findKind(registry: Registry, name: unknown, errors: FieldError[]): RegisteredKind | undefined {
  if (typeof name !== 'string') {
    errors.push({ pointer: '/kind', code: 'validation_failed', message: 'must be the name of a kind' });
    return undefined;
  }
  const kind = registry.find(name);
  if (kind === undefined) {
    const guess = nearest(name, [...registry.kinds.keys()]);
    const hint =
      guess === undefined ? `known are ${[...registry.kinds.keys()].join(', ')}` : `did you mean ${guess}?`;
    errors.push({
      pointer: '/kind',
      code: 'unknown_kind',
      message: `${quoted(name)} is not a kind; ${hint}`,
    });
  }
  return kind;
}

function collect<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  at: string,
  errors: FieldError[],
): z.output<Schema> | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) errors.push(...fieldErrors(issue, at, schema, value));
  return undefined;
}

function fieldErrors(issue: z.core.$ZodIssue, at: string, schema: z.ZodType, value: unknown): FieldError[] {
  const pointer = at + pointerOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(schema, value, issue.path);
    return issue.keys
      .filter((key) => !hasForbiddenCharacters(key)) // such a key was told already
      .slice(0, maxErrors)
      .map((key) => unknownField(`${pointer}${pointerOf([key])}`, key, known));
  }
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'template') {
    return [{ pointer, code: 'unknown_template', message: 'is not one of the templates' }];
  }
  const named: unknown = issue.code === 'custom' ? issue.params?.['problem'] : undefined;
  const code = typeof named === 'string' && named in problems ? (named as ProblemCode) : 'validation_failed';
  return [{ pointer, code, message: issue.message }];
}

function checkTimes(
  options: z.output<typeof optionsSchema>,
  nowMs: number,
  errors: FieldError[],
): Date | undefined {
  if (options.runAt === undefined) return undefined;
  const at = Date.parse(options.runAt);
  if (options.delayMs !== undefined) {
    errors.push({
      pointer: '/options',
      code: 'conflicting_fields',
      message: 'has both delayMs and runAt; send one',
    });
  }
  if (at < nowMs - 300_000 || at > nowMs + 365 * dayMs) {
    errors.push({
      pointer: '/options/runAt',
      code: 'validation_failed',
      message: 'must lie within the next year',
    });
  }
  return new Date(at);
}

/** Why PostgreSQL or JSON could not keep this text or number exactly, if that is so. */
function flawOf(value: unknown): Pick<FieldError, 'code' | 'message'> | undefined {
  if (typeof value === 'string' && hasForbiddenCharacters(value))
    return { code: 'invalid_characters', message: 'has a NUL or half of a surrogate pair' };
  if (typeof value !== 'number') return undefined;
  const exact =
    Number.isFinite(value) &&
    (!Number.isInteger(value) || Number.isSafeInteger(value)) &&
    !Object.is(value, -0);
  return exact ? undefined : { code: 'unsafe_number', message: 'cannot be kept exactly' };
}

/**
 * Adds an error for each text and number that could not be kept. A body has thousands of items that anyone may fill:
 * it stops at as many errors as are told, and makes a pointer for an error alone.
 */
function checkStorable(value: unknown, path: PropertyKey[], errors: FieldError[]): void {
  const flaw = flawOf(value);
  if (flaw !== undefined) errors.push({ pointer: pointerOf(path), ...flaw });
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<PropertyKey, unknown>;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    if (errors.length >= maxErrors) return;
    if (typeof key === 'string' && hasForbiddenCharacters(key)) {
      const message = 'has a key with a NUL or half of a surrogate pair';
      errors.push({ pointer: pointerOf(path), code: 'invalid_characters', message });
      continue;
    }
    path.push(key);
    checkStorable(holder[key], path, errors);
    path.pop();
  }
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
