// What `storytime up` says when everything runs: where things are, and the first story, ready to paste.
import type { UpNote } from './home.ts';
import type { Paint } from './terminal.ts';

const story = { childName: 'Ada', age: 6, theme: 'a lighthouse that tells jokes', notify: 'ada@example.com' };

/** `program`: how this command line is called again, e.g. `node dist/cli/main.js`. */
export function welcome(note: UpNote, program: string, paint: Paint): string {
  const body = JSON.stringify({ kind: 'generate-story', payload: story });
  const rows = [
    ['API', note.api],
    ['Dashboard', `${note.dashboard}/ops  (sign in with the key)`],
    ['Bull Board', `${note.dashboard}/board`],
    ...(note.mailbox === null ? [] : [['Mailbox', note.mailbox]]),
    ['Key', note.key],
    ['Engine', note.engine === 'redis' ? 'BullMQ on Redis' : 'BullMQ on PostgreSQL'],
  ];
  const table = rows
    .map(([name = '', value = '']) => `  ${paint('bold', name.padEnd(11))} ${value}`)
    .join('\n');
  return `${paint('green', '✓')} Storytime Jobs is running; Ctrl-C stops it.

${table}

Make a story:

  curl -s ${note.api}/v1/jobs \\
    -H 'Authorization: Bearer ${note.key}' \\
    -H 'Content-Type: application/json' \\
    -H "Idempotency-Key: first-story-$(date +%s)" \\
    -d '${body}'

Then follow it and its pictures, narration and mail with the id of the answer:

  ${program} jobs wait <id> --tree

`;
}
