// .env.example and docs/configuration.md, from the one table in shared/settings.ts.
import { z } from 'zod';
import { settings } from '../../shared/settings.ts';
import { aligned } from './table.mjs';

const rows = Object.entries(settings).map(([name, [schema, sentence]]) => {
  const empty = schema.safeParse(undefined);
  const value = empty.success ? empty.data : undefined;
  return { name, sentence, value, accepts: accepts(schema), ours: name.startsWith('STORYTIME_') };
});

/** What a value may be, in words: the choices, the range, or what the rule says that refuses any other text. */
function accepts(schema) {
  const { enum: choices, type, minimum, maximum } = z.toJSONSchema(schema, { io: 'output' });
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ');
  if (type === 'integer') return `whole number, ${minimum} to ${maximum}`;
  if (type === 'number') return `number, ${minimum} to ${maximum}`;
  const refused = schema.safeParse('no');
  const rule = refused.success ? '' : (refused.error.issues[0]?.message ?? '');
  const words = /^must (?:be a URL that starts with|be|have) (.*)/.exec(rule)?.[1];
  return words?.replaceAll(/\S+:\/\/(?:\S*[^\s,])?/g, '`$&`') ?? 'text';
}

/** .env.example. */
export function environmentExample() {
  const head = `# Settings of Storytime Jobs. Copy to .env, which docker compose reads, and fill in what is needed; elsewhere export the variables.
# Every line left as a comment keeps its default.
# Written from shared/settings.ts by scripts/references.mjs; the whole reference is docs/configuration.md.
`;
  const entries = rows.map(({ name, sentence, value }) => `# ${sentence}\n# ${name}=${value ?? ''}\n`);
  const compose = '# For docker compose alone: the password of its PostgreSQL.\n# POSTGRES_PASSWORD=\n';
  return `${head}\n${[...entries, compose].join('\n')}`;
}

function table(chosen) {
  return aligned([
    ['Setting', 'Default', 'Accepts', 'What it does'],
    ...chosen.map(({ name, sentence, value, accepts: kind }) => {
      const start = value === undefined ? 'none' : `\`${value}\``;
      return [`\`${name}\``, start, kind, sentence];
    }),
  ]);
}

/** docs/configuration.md. */
export function configurationPage() {
  return `# Configuration

Every setting is an environment variable, read once when a process starts. A process that finds a problem exits with code 2 and
lists all wrong values, and all names that start with \`STORYTIME_\` and are not listed here; once these are right, all settings
that do not go together. An empty value, one of white space alone, or of a port the \`tcp://…\` that Kubernetes tells of
a service, counts as not set. \`storytime doctor\` checks the settings
and everything they point to.

This page is written from \`shared/settings.ts\` by \`scripts/references.mjs\`.

## Stores and providers

${table(rows.filter(({ ours }) => !ours))}

## Settings of Storytime Jobs

${table(rows.filter(({ ours }) => ours))}

## Settings of the client and the \`jobs\` commands

${aligned([
  ['Setting', 'What it does'],
  [
    '`STORYTIME_URL`',
    'Address of the API; without it `storytime jobs` uses what `storytime up` runs in this folder.',
  ],
  ['`STORYTIME_KEY`', 'A key of that API.'],
])}
`;
}
