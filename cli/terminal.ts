// The terminal as an argument: results go to `out`, talk to `err`. Escape sequences of others are not passed on, and colour
// is used only where a person reads and has not declined it.
import { styleText } from 'node:util';
import type { Environment } from '../shared/config.ts';

export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
  env: Environment;
  /** A person reads `out`. */
  isInteractive: boolean;
  /** The whole of standard input; undefined when a person types there, so that nothing waits for what never comes. */
  readInput: () => Promise<Buffer> | undefined;
}

export type Style = Parameters<typeof styleText>[0];

/** Colours text, or leaves it alone. */
export type Paint = (style: Style, text: string) => string;

export function painter(terminal: Terminal, declined: boolean): Paint {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: kind } = terminal.env;
  const wanted = (force ?? '') !== '' && force !== '0';
  const possible = terminal.isInteractive && (no ?? '') === '' && kind !== 'dumb';
  if (declined || !(wanted || possible)) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false }); // we have judged the stream
}

/** One document for a program: stable camelCase keys and the version of their meaning. */
export function json(value: object): string {
  return `${inert(JSON.stringify({ schema: 1, ...value }))}\n`;
}

/** The same JSON: what it leaves as it is, and a terminal may obey, is written as an escape. */
export function inert(jsonText: string): string {
  return jsonText.replaceAll(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** Text from elsewhere without what a terminal would obey. */
export function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD');
}
