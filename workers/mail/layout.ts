// The one layout of all mails: HTML in tables (mail programs know little else), readable in dark mode, and plain text.
// The HTML's source is fixed and compiled once; what is filled in is escaped by the engine, and links are checked again.
import { Eta } from 'eta/core';
import { Failure } from '../../shared/errors.ts';
import { oneLine } from '../one-line.ts';
import type { Content } from './templates.ts';

export interface RenderedMail {
  /** One line. */
  subject: string;
  html: string;
  text: string;
}

const source = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title><%= it.subject %></title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #1b1a24 !important; }
  .card { background: #2a2838 !important; }
  .words { color: #f2eefc !important; }
  .quiet { color: #b8b2cc !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f4f1fb">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f4f1fb"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card" width="560" cellpadding="0" cellspacing="0" style="width:100%;max-width:560px;background:#ffffff;border-radius:12px">
<% if (it.image) { %><tr><td><img src="<%= it.image %>" width="560" alt="" style="display:block;width:100%;height:auto;border-radius:12px 12px 0 0"></td></tr><% } %>
<tr><td class="words" style="padding:28px 28px 8px;font:700 24px/1.3 Georgia,serif;color:#2b2350"><%= it.heading %></td></tr>
<% for (const paragraph of it.paragraphs) { %><tr><td class="words" style="padding:8px 28px;font:400 16px/1.5 Arial,sans-serif;color:#2b2350"><%= paragraph %></td></tr>
<% } for (const link of it.links) { %><tr><td style="padding:8px 28px"><a href="<%= link.url %>" style="display:inline-block;padding:12px 20px;background:#5b3fd1;color:#ffffff;font:700 16px/1 Arial,sans-serif;text-decoration:none;border-radius:8px"><%= link.label %></a></td></tr>
<% } %><tr><td class="quiet" style="padding:20px 28px 28px;font:400 13px/1.5 Arial,sans-serif;color:#6a6485"><%= it.footer %></td></tr>
</table>
</td></tr></table>
</body>
</html>
`;

const eta = new Eta({ autoEscape: true, autoTrim: false });
const page = eta.compile(source);

export function renderMail(content: Content): RenderedMail {
  const addresses = [
    ...content.links.map(({ url }) => url),
    ...(content.image === undefined ? [] : [content.image]),
  ];
  for (const address of addresses) checkAddress(address);
  const subject = oneLine(content.subject);
  return { subject, html: eta.render(page, { ...content, subject }), text: plain(content) };
}

/** Escaping makes an address safe in HTML, but a `javascript:` one would still run: only web addresses get through. */
function checkAddress(address: string): void {
  if (!/^https?:\/\/[^\s\\]+$/i.test(address))
    throw new Failure('bad_input', 'the mail failed: a link is not a web address; send http or https links');
}

function plain({ heading, paragraphs, links, footer }: Content): string {
  const lines = links.map(({ label, url }) => `${oneLine(label)}:\n${url}`);
  return [...[heading, ...paragraphs].map(oneLine), ...lines, `-- \n${footer}`, ''].join('\n\n');
}
