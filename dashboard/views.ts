// The pages, rendered on the server; they work without script. Every value is escaped by the template engine.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';

const folder = fileURLToPath(new URL('./pages/', import.meta.url));
const eta = new Eta({ views: folder, cache: true, autoEscape: true });

/** One page by name, as HTML. */
export function render(name: 'login' | 'notice' | 'ops', data: object): string {
  return eta.render(`./${name}`, data);
}

/** The one style sheet, dark and light. */
export const styleSheet = readFileSync(new URL('./pages/ops.css', import.meta.url), 'utf8');
