// Fills the schema of a request with a story: what comes out is valid against the caller's own schema, whatever its field names.
// Knows the JSON Schema subset that Gemini takes, and the older OpenAPI spelling (upper-case types, numbers as strings).
import type { Story } from './storyteller.ts';

type Schema = Record<string, unknown>;

interface Filling {
  story: Story;
  definitions: Schema;
  /** The page being filled, once inside the list of pages. */
  page?: Story['pages'][number];
  depth: number;
}

const dict = (value: unknown): Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {};

const numberOf = (value: unknown): number | undefined => {
  const read = typeof value === 'string' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined;
};

/** Follows $ref, and takes the first alternative that is not null. */
function resolve(schema: Schema, definitions: Schema): Schema {
  const ref = schema['$ref'];
  if (typeof ref === 'string') return resolve(dict(definitions[ref.split('/').at(-1) ?? '']), definitions);
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (!Array.isArray(choices)) return schema;
  const some = choices.map((choice: unknown) => resolve(dict(choice), definitions));
  return some.find((choice) => typeOf(choice) !== 'null') ?? schema;
}

function typeOf(schema: Schema): string {
  const { type } = schema;
  const named = Array.isArray(type) ? type.find((one) => one !== 'null') : type;
  if (typeof named === 'string') return named.toLowerCase();
  return schema['properties'] ? 'object' : schema['items'] ? 'array' : 'string';
}

const meanings: readonly [RegExp, (filling: Filling) => string][] = [
  [/title|headline/i, ({ story }) => story.title],
  [/moral|lesson/i, ({ story }) => story.moral],
  [/^art|style|look/i, ({ story }) => story.artDirection],
  [
    /scene|picture|image|illustration|visual/i,
    ({ page, story }) => page?.scene ?? story.pages[0]?.scene ?? '',
  ],
  [/./, ({ page, story }) => page?.text ?? story.pages.map((one) => one.text).join('\n\n')],
];

function stringFor(name: string, filling: Filling): string {
  return meanings.find(([pattern]) => pattern.test(name || 'text'))?.[1](filling) ?? '';
}

function numberFor(schema: Schema): number {
  const low = numberOf(schema['minimum']) ?? 1;
  return Math.max(low, Math.min(numberOf(schema['maximum']) ?? low, low));
}

/** A list without limits has a page for every page of the story when it holds objects or sits in no page yet. */
function arrayFor(schema: Schema, name: string, filling: Filling): unknown[] {
  const { pages } = filling.story;
  const low = numberOf(schema['minItems']) ?? 0;
  const high = numberOf(schema['maxItems']) ?? Infinity;
  const natural = filling.page ? Math.max(1, low) : pages.length;
  const length = Math.min(high, Math.max(low, natural));
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  return Array.from({ length }, (_, index) => {
    const page = filling.page ?? pages[index % pages.length];
    const inside = { ...filling, ...(page ? { page } : {}), depth: filling.depth + 1 };
    return fill(dict(prefix[index] ?? schema['items']), name, inside);
  });
}

function objectFor(schema: Schema, filling: Filling): Schema {
  const entries = Object.entries(dict(schema['properties']));
  return Object.fromEntries(
    entries.map(([name, inside]) => [
      name,
      fill(dict(inside), name, { ...filling, depth: filling.depth + 1 }),
    ]),
  );
}

function fill(given: Schema, name: string, filling: Filling): unknown {
  const schema = resolve(given, filling.definitions);
  const choices = schema['enum'];
  if (Array.isArray(choices)) return choices[0];
  // A schema that contains itself would never end.
  if (filling.depth > 12) return null;
  const type = typeOf(schema);
  if (type === 'object') return objectFor(schema, filling);
  if (type === 'array') return arrayFor(schema, name, filling);
  if (type === 'integer' || type === 'number') return numberFor(schema);
  if (type === 'boolean') return true;
  return type === 'null' ? null : stringFor(name, filling);
}

/** How many pages the schema leaves room for: the limits of its list of pages (or its first list). */
export function pageLimits(schema: unknown): { low: number; high: number } | undefined {
  const root = dict(schema);
  const definitions = dict(root['$defs'] ?? root['definitions']);
  const lists = Object.entries(dict(resolve(root, definitions)['properties']))
    .map(([name, inside]) => ({ name, schema: resolve(dict(inside), definitions) }))
    .filter((one) => typeOf(one.schema) === 'array');
  const list = lists.find(({ name }) => /page|scene|chapter/i.test(name)) ?? lists[0];
  if (!list) return undefined;
  const low = numberOf(list.schema['minItems']) ?? 1;
  return { low, high: numberOf(list.schema['maxItems']) ?? Math.max(low, 40) };
}

export function storyAsJson(schema: unknown, story: Story): unknown {
  const root = dict(schema);
  const definitions = dict(root['$defs'] ?? root['definitions']);
  return fill(root, '', { story, definitions, depth: 0 });
}
