// Reads golden exchanges and compares answers with them: 'exact' is equality, 'shape' the same names and types.
import { readFileSync } from 'node:fs';

export interface Exchange {
  name: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  fault?: object;
  check: 'exact' | 'shape';
  answer: { status: number; body: unknown };
}

export function readGolden(provider: string): Exchange[] {
  const text = readFileSync(new URL(`golden/${provider}.json`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { exchanges: Exchange[] }).exchanges;
}

/** Names and types only; a list by its first entry. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, shapeOf(inside)]));
}
