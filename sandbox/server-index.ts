// The sandbox's front page: what was charged so far, and where to look. No script, nothing from outside.
import type { Bill } from './bill.ts';
import { escapeHtml, type Answer } from './frame.ts';

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#223}' +
  'table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde}';

/** Headers of every page: no script, no frame, no outside source. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function totals(bill: Bill): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const entry of bill.entries()) {
    const name = `${entry.provider} ${entry.operation}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => a.name.localeCompare(b.name));
}

/** Without it every browser asks for one, is told 404, and says so. */
export const noIcon = '<link rel="icon" href="data:,">';

export function indexPage(bill: Bill, links: readonly { href: string; title: string }[]): Answer {
  const rows = totals(bill).map(
    ({ name, count }) => `<tr><td>${escapeHtml(name)}</td><td>${count}</td></tr>`,
  );
  const items = links.map(
    ({ href, title }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(title)}</a></li>`,
  );
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Storytime sandbox</title>${noIcon}
<style>${style}</style><h1>Storytime sandbox</h1>
<p>Stands in for the outside services. Nothing here costs money and nothing leaves this machine.</p>
<ul>${items.join('')}<li><a href="/_sandbox/bill">The bill, line by line</a></li><li><a href="/_sandbox/faults">Faults that are set</a></li></ul>
<h2>Accepted requests</h2><table><tr><th>Service and operation</th><th>Requests</th></tr>${rows.join('')}</table></html>`;
  return { status: 200, headers: pageHeaders, body };
}
