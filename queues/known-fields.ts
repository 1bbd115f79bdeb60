// Which fields a schema knows at a place of a value, for the guess of what a mistyped one was meant to be. Pure.
import { z } from 'zod';

/** The names an object may have at `path`; none when the schema has no object there. */
export function knownFields(schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[]): string[] {
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodUnion)
    return optionsFor(bare, value).flatMap((option) => knownFields(option, value, path));
  const [key, ...rest] = path;
  if (key === undefined) return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
  const below = schemaOf(bare, key);
  return below === undefined ? [] : knownFields(below, (value as Record<PropertyKey, unknown>)[key], rest);
}

/** A field of another option would be no field here: where the value tells which option it is, only that one counts. */
function optionsFor(union: z.ZodUnion, value: unknown): readonly z.core.$ZodType[] {
  if (!(union instanceof z.ZodDiscriminatedUnion)) return union.options;
  const { discriminator } = union.def;
  const told = (value as Record<string, unknown>)[discriminator];
  return union.options.filter(
    (option) => option instanceof z.ZodObject && z.safeParse(option.shape[discriminator], told).success,
  );
}

function schemaOf(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodObject ? schema.shape[String(key)] : undefined;
}

/** Without what only says whether it may be left out, and what becomes of it. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unwrapped(schema.unwrap());
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema;
}
