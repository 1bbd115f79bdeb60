// Parsers of option values: what cannot be meant is refused before a command starts, with how to write it.
import { InvalidArgumentError, Option } from 'commander';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `2h`, `1d`. A number without a unit is refused: nobody agrees on it. */
export function parseDuration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const ms = Math.round(Number(amount) * (unitMs[unit] ?? Number.NaN));
  if (amount === '' || !Number.isSafeInteger(ms))
    throw new InvalidArgumentError('Write a number with its unit: 500ms, 30s, 5m, 2h or 1d.');
  return ms;
}

/** The first of the five ports in a row that `up` takes; 0 takes free ones. */
export function parseFirstPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_531)
    throw new InvalidArgumentError('Write a whole number from 0 to 65531: five ports in a row are taken.');
  return port;
}

/** 1 to 100,000. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 100_000)
    throw new InvalidArgumentError('Write a whole number from 1 to 100000.');
  return count;
}

/** An idempotency key as the API takes it. */
export function parseIdempotencyKey(text: string): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(text))
    throw new InvalidArgumentError('Write 1 to 255 printable ASCII characters.');
  return text;
}

/** `a,b` -> ['a', 'b']. */
export function parseList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Write names with commas between them.');
  return names;
}

export function durationOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseDuration);
}
