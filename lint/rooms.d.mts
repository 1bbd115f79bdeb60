// The types of the table, for the tests that read it.
export interface Room {
  about: string;
  imports: readonly string[];
  types?: readonly string[];
}
export const rooms: Readonly<Record<string, Room>>;
export const homes: Readonly<Record<string, readonly string[]>>;
