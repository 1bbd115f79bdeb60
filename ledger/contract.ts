// For developers: what in a migration would break the build before it, which still runs while the database is migrated. Such a
// statement needs a note that names the version since which nothing reads or leaves out what it takes away, and a floor.
// Judges the text, so it can be fooled; it is there for the slip, not for the trick. Pure.

export interface MigrationText {
  name: string;
  sql: string;
}

const note = /^--\s*contract: not read since version \S+/m;
const floor = /INSERT\s+INTO\s+"?schema_floor"?\s*\(\s*"?migration"?\s*\)\s*VALUES\s*\(\s*'([^']+)'\s*\)/i;
const uniqueName = '"?\\w+_(?:key|pkey)"?';

/** What breaks the build before, by the words it is told in. `on`: only on tables that this migration does not create. */
const breaking: readonly { what: string; pattern: RegExp }[] = [
  { what: 'drops something that may be read', pattern: /^DROP\s+(?!INDEX\b)/i },
  {
    what: 'drops a unique index that ON CONFLICT may name',
    pattern: new RegExp(`^DROP\\s+INDEX\\b.*${uniqueName}`, 'i'),
  },
  {
    what: 'drops a column',
    pattern: /^ALTER\s+TABLE\b.*\bDROP\s+(?!CONSTRAINT\b|DEFAULT\b|NOT\b|EXPRESSION\b|IDENTITY\b)/i,
  },
  {
    what: 'drops a unique constraint that ON CONFLICT may name',
    pattern: new RegExp(`\\bDROP\\s+CONSTRAINT\\s+(?:IF\\s+EXISTS\\s+)?${uniqueName}`, 'i'),
  },
  { what: 'drops a default that older inserts rely on', pattern: /\bDROP\s+DEFAULT\b/i },
  { what: 'renames something', pattern: /^ALTER\b.*\bRENAME\b/i },
  {
    what: 'changes a type',
    pattern: /^ALTER\s+TABLE\b.*\bALTER\s+(?:COLUMN\s+)?"?\w+"?\s+(?:SET\s+DATA\s+)?TYPE\b/i,
  },
  { what: 'makes a column NOT NULL', pattern: /\bSET\s+NOT\s+NULL\b/i },
  {
    what: 'adds a column that is NOT NULL and has no default',
    pattern:
      /\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?:"\w+"|(?!CONSTRAINT\b)\w+)\s+(?:(?!\bDEFAULT\b|,\s*(?:ADD|ALTER|DROP)\b).)*\bNOT\s+NULL\b(?!(?:(?!,\s*(?:ADD|ALTER|DROP)\b).)*\bDEFAULT\b)/i,
  },
  {
    what: 'adds a constraint that older writes may not meet',
    pattern: /^ALTER\s+TABLE\b.*\bADD\s+CONSTRAINT\b/i,
  },
  { what: 'adds a unique index that older writes may not meet', pattern: /^CREATE\s+UNIQUE\s+INDEX\b/i },
];

/** What is wrong with each migration, one line each; `migrations` oldest first, for the names that a floor may have. */
export function contractProblems(migrations: readonly MigrationText[]): string[] {
  return migrations.flatMap(({ name, sql }, index) => {
    const found = breakingStatements(sql);
    if (found.length === 0) return [];
    const earlier = migrations.slice(0, index).map((migration) => migration.name);
    const raised = floor.exec(sql)?.[1];
    return [
      ...(note.test(sql)
        ? []
        : found.map((line) => `${name} ${line}; add \`-- contract: not read since version X\``)),
      ...(raised !== undefined && earlier.includes(raised)
        ? []
        : [
            `${name} raises no floor: add INSERT INTO "schema_floor" ("migration") VALUES ('<an earlier migration>')`,
          ]),
    ];
  });
}

function breakingStatements(sql: string): string[] {
  const statements = statementsOf(sql);
  const created = new Set(
    statements.flatMap(
      (statement) => /^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?/i.exec(statement)?.[1] ?? [],
    ),
  );
  return statements.flatMap((statement) => {
    const table =
      /^(?:ALTER\s+TABLE\s+(?:ONLY\s+|IF\s+EXISTS\s+)*|CREATE\s+UNIQUE\s+INDEX\b.*?\bON\s+)"?(\w+)"?/i.exec(
        statement,
      )?.[1];
    if (table !== undefined && created.has(table)) return [];
    return breaking
      .filter(({ pattern }) => pattern.test(statement))
      .map(({ what }) => `${what} (${statement.slice(0, 80)})`);
  });
}

/** The statements on one line each, without comments, texts and function bodies. */
function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(/\$(\w*)\$[\s\S]*?\$\1\$/g, '$$')
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '');
}
