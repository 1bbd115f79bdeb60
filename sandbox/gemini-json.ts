// Reads JSON as strictly as Google does: a field it does not know is refused by name, and a part without data by its place.
// Field names of a content: the Gemini API side of @google/genai 2.32 (November 2026) and ai.google.dev/api/caching#Content.
import type { Answer } from './frame.ts';
import { badFields, refusal } from './gemini-errors.ts';

export type Dict = Record<string, unknown>;
export interface Violation {
  field: string;
  description: string;
}
/** true: any JSON may follow. An array type: the same for every element. */
export type Shape = true | { list: Shape } | { fields: Readonly<Record<string, Shape>> };

export const anything = (...names: string[]): Record<string, Shape> =>
  Object.fromEntries(names.map((name) => [name, true]));

/** What a part holds: one of these. */
const dataFields = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
];

const partShape: Shape = {
  fields: anything(
    ...dataFields,
    'videoMetadata',
    'thought',
    'thoughtSignature',
    'mediaResolution',
    'partMetadata',
  ),
};
export const contentShape: Shape = { fields: { role: true, parts: { list: partShape } } };
const toCamel = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const toSnake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unknownName(name: string, field: string): Violation {
  const where = field === '' ? '' : ` at '${field}'`;
  return {
    field,
    description: `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`,
  };
}

/** Both spellings of a name are accepted, as protobuf's JSON does; the result has camelCase names. */
function read(value: unknown, shape: Shape, field: string, found: Violation[]): unknown {
  if (shape === true) return value;
  if ('list' in shape) {
    // A single message where a list belongs is taken as a list of one.
    const list = Array.isArray(value) ? value : [value];
    return list.map((one, index) => read(one, shape.list, `${field}[${index}]`, found));
  }
  if (!isDict(value)) {
    found.push({ field, description: `Invalid value at '${field}' (Map), ${JSON.stringify(value)}` });
    return {};
  }
  const result: Dict = {};
  for (const [name, inside] of Object.entries(value)) {
    const known = Object.hasOwn(shape.fields, toCamel(name)) ? shape.fields[toCamel(name)] : undefined;
    const path = field === '' ? toSnake(name) : `${field}.${toSnake(name)}`;
    if (known === undefined) found.push(unknownName(name, field));
    else result[toCamel(name)] = read(inside, known, path, found);
  }
  return result;
}

/** The texts of a content, in order. */
export function texts(content: unknown): string[] {
  const parts = isDict(content) ? content['parts'] : undefined;
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((part: unknown) =>
    isDict(part) && typeof part['text'] === 'string' ? [part['text']] : [],
  );
}

function parse(body: Buffer): Dict | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isDict(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An object of this shape with camelCase names, and what else `check` finds wrong in it; or Google's refusal of it. */
export function readBody(
  body: Buffer,
  shape: Shape,
  check: (request: Dict, found: Violation[]) => void = () => undefined,
): { request: Dict } | { refused: Answer } {
  const raw = parse(body);
  if (!raw) return { refused: refusal(400, 'Invalid JSON payload received. Expected an object.') };
  const found: Violation[] = [];
  const request = read(raw, shape, '', found) as Dict;
  check(request, found);
  return found.length > 0 ? { refused: badFields(found) } : { request };
}

/** What Google says of a content without parts, or with parts that hold nothing: a line each. */
export function emptiness(content: unknown, place: string): string[] {
  const parts = isDict(content) ? content['parts'] : undefined;
  if (!Array.isArray(parts) || parts.length === 0)
    return [`* ${place}.parts: contents.parts must not be empty.\n`];
  return parts.flatMap((part: unknown, index) =>
    isDict(part) && dataFields.some((name) => part[name] !== undefined)
      ? []
      : [`* ${place}.parts[${index}].data: required oneof field 'data' must have one initialized field\n`],
  );
}
