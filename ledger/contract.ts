// For developers: what in a migration would break the build before it, which still runs while the database is migrated, or would
// hold it up. What breaks it needs a note that names the version since which nothing reads or leaves out what is taken away, and
// a floor; an index that holds it up is built in another way.
// Judges the text, so it can be fooled; it is there for the slip, not for the trick. Pure.

export interface MigrationText {
  name: string;
  sql: string;
}

/** The newest migration when indexes came to be judged. Those up to it have plain ones and stay: a file that landed is not edited. */
const lastUnjudged = '20261128031326_artifact_parts';

const note = /^--\s*contract: not read since version \S+/m;
const floor = /INSERT\s+INTO\s+"?schema_floor"?\s*\(\s*"?migration"?\s*\)\s*VALUES\s*\(\s*'([^']+)'\s*\)/i;
const small = /^--\s*stays small: "?(\w+)"?,? +\w/gm;
const tableName = '(?:"?\\w+"?\\.)?"?(\\w+)"?';
const created = new RegExp(`^CREATE\\s+TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${tableName}`, 'i');
const index = new RegExp(`^CREATE\\s+(?:UNIQUE\\s+)?INDEX\\b.*?\\bON\\s+(?:ONLY\\s+)?${tableName}`, 'i');
const altered = new RegExp(`^ALTER\\s+TABLE\\s+(?:ONLY\\s+|IF\\s+EXISTS\\s+)*${tableName}`, 'i');
/** Not part of any transaction, so of no script with a second statement either. */
const alone = /^(?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+|RE)INDEX\b.*?\bCONCURRENTLY\b/i;
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
  return migrations.flatMap((migration, at) => [
    ...(migration.name > lastUnjudged ? indexProblems(migration) : []),
    ...breakingProblems(migration, migrations.slice(0, at)),
  ]);
}

function breakingProblems({ name, sql }: MigrationText, earlier: readonly MigrationText[]): string[] {
  const found = breakingStatements(sql);
  if (found.length === 0) return [];
  // An index that must be alone has its floor in the migration before.
  const before = statementsOf(sql).some((statement) => alone.test(statement));
  const raised = floor.exec((before ? earlier.at(-1)?.sql : sql) ?? '')?.[1];
  const where = before ? ' in a migration just before it' : '';
  return [
    ...(note.test(sql)
      ? []
      : found.map((line) => `${name} ${line}; add \`-- contract: not read since version X\``)),
    ...(earlier.some((migration) => migration.name === raised)
      ? []
      : [
          `${name} raises no floor: add INSERT INTO "schema_floor" ("migration") VALUES ('<an earlier migration>')${where}`,
        ]),
  ];
}

// Whatever the table: which ones grow without end (jobs, attempts, steps, charges, files) and which never will is nothing that
// the text tells, so the one who knows says it.
function indexProblems({ name, sql }: MigrationText): string[] {
  const statements = statementsOf(sql);
  const exempt = new Set([
    ...createdIn(statements),
    ...Array.from(sql.matchAll(small), ([, table]) => table),
  ]);
  return statements.flatMap((statement) => {
    const told = statement.slice(0, 80);
    if (alone.test(statement)) {
      if (/\bIF\s+NOT\s+EXISTS\b/i.test(statement))
        return [
          `${name} takes the invalid index that a failed try leaves for its own (${told}); leave out IF NOT EXISTS`,
        ];
      return statements.length === 1
        ? []
        : [`${name} cannot be run: only a migration of its own can hold ${told}; move it to one`];
    }
    const table = index.exec(statement)?.[1];
    if (table === undefined || exempt.has(table)) return [];
    return [
      `${name} lets nobody write to ${table} while it builds an index (${told}); make it CREATE INDEX CONCURRENTLY in a migration of its own, or, if the table never grows large, add \`-- stays small: ${table}, because ...\``,
    ];
  });
}

function createdIn(statements: readonly string[]): Set<string> {
  return new Set(statements.flatMap((statement) => created.exec(statement)?.[1] ?? []));
}

function breakingStatements(sql: string): string[] {
  const statements = statementsOf(sql);
  const ours = createdIn(statements);
  return statements.flatMap((statement) => {
    const table = (altered.exec(statement) ?? index.exec(statement))?.[1];
    if (table !== undefined && ours.has(table)) return [];
    return breaking
      .filter(({ pattern }) => pattern.test(statement))
      .map(({ what }) => `${what} (${statement.slice(0, 80)})`);
  });
}

/** Comments, texts, names and function bodies, in the order they stand in: an apostrophe in a comment begins no text. */
const quoted = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$[\s\S]*?\$\1\$/g;

/** The statements on one line each, without comments, texts and function bodies. */
function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(quoted, (text) => (text.startsWith('"') ? text : /^[-/]/.test(text) ? ' ' : "''"))
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '');
}
