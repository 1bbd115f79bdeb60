// The mailbox: every mail that the sandbox accepted, as pages for people and as JSON for tests.
// A mail is somebody else's text: everything is escaped, and its HTML is shown only inside a sandboxed frame without scripts.
import PostalMime, { type Address, type Email } from 'postal-mime';
import { escapeHtml, type Answer, type Route } from './frame.ts';
import { noIcon, pageHeaders } from './server-index.ts';
import type { Mails } from './smtp-store.ts';

const listLimit = 500;

interface MailSummary {
  id: string;
  messageId: string;
  from: string;
  /** Whom it was delivered to: the envelope, hidden copies included. */
  to: string[];
  subject: string;
  /** ISO 8601, or as the sender wrote it. */
  date: string;
  text: string;
}

const flat = (address: Address | undefined): string =>
  address === undefined ? '' : (address.address ?? address.name);

function summarise(id: string, mail: Email): MailSummary {
  return {
    id,
    messageId: mail.messageId ?? '',
    from: flat(mail.from),
    to: mail.headers.filter(({ key }) => key === 'delivered-to').map(({ value }) => value.trim()),
    subject: mail.subject ?? '',
    date: mail.date ?? '',
    text: mail.text ?? '',
  };
}

async function read(mails: Mails, id: string): Promise<Email | undefined> {
  const content = await mails.read(id);
  return content && PostalMime.parse(content);
}

/** Newest first; mails never change, so what was parsed once is kept. */
function makeList(mails: Mails): () => Promise<MailSummary[]> {
  const kept = new Map<string, MailSummary>();
  const one = async (id: string): Promise<MailSummary[]> => {
    const known = kept.get(id);
    if (known) return [known];
    const mail = await read(mails, id);
    if (!mail) return [];
    const summary = summarise(id, mail);
    kept.set(id, summary);
    return [summary];
  };
  return async () => {
    const ids = await mails.ids();
    const found = await Promise.all(ids.slice(0, listLimit).map(one));
    return found.flat();
  };
}

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#223}' +
  'table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde;vertical-align:top}' +
  'iframe{width:100%;height:32rem;border:1px solid #dde}pre{white-space:pre-wrap;overflow-wrap:anywhere}';

function page(title: string, inside: string): Answer {
  const body = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>${noIcon}
<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>${inside}</body></html>`;
  const policy = `${pageHeaders['content-security-policy']}; frame-src 'self'`;
  return { status: 200, headers: { ...pageHeaders, 'content-security-policy': policy }, body };
}

const missing: Answer = {
  status: 404,
  headers: { ...pageHeaders },
  body: '<!doctype html><title>No such mail</title>There is no such mail.',
};

function listPage(mails: readonly MailSummary[]): Answer {
  const rows = mails.map(
    ({ id, date, to, subject }) =>
      `<tr><td>${escapeHtml(date)}</td><td>${escapeHtml(to.join(', '))}</td><td><a href="/mailbox/${id}">${escapeHtml(subject || '(no subject)')}</a></td></tr>`,
  );
  const table = `<table><tr><th>Date</th><th>To</th><th>Subject</th></tr>${rows.join('')}</table>`;
  return page('Mailbox', `<h1>Mailbox</h1>${rows.length === 0 ? '<p>No mail yet.</p>' : table}`);
}

function mailPage(id: string, mail: Email): Answer {
  const heads = mail.headers.map(
    ({ originalKey, value }) => `<tr><th>${escapeHtml(originalKey)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  const html = `<iframe src="/mailbox/${id}/html" sandbox="allow-popups allow-popups-to-escape-sandbox" title="The mail"></iframe>`;
  const parts = [
    `<p><a href="/mailbox">Mailbox</a></p><h1>${escapeHtml(mail.subject ?? '(no subject)')}</h1>`,
    mail.html === undefined ? '' : html,
    mail.text === undefined ? '' : `<h2>Text</h2><pre>${escapeHtml(mail.text)}</pre>`,
    `<h2>Headers</h2><table>${heads.join('')}</table>`,
  ];
  return page(mail.subject ?? 'Mail', parts.join(''));
}

/** The mail's own HTML. The policy holds even when somebody opens it outside the frame. */
function htmlPart(mail: Email): Answer {
  if (mail.html === undefined) return missing;
  const policy =
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'";
  return { status: 200, headers: { ...pageHeaders, 'content-security-policy': policy }, body: mail.html };
}

function get(pattern: string, accept: Route['accept']): Route {
  return { method: 'GET', pattern, accept };
}

export function mailboxRoutes(mails: Mails): Route[] {
  const list = makeList(mails);
  const shown =
    (show: (id: string, mail: Email) => Answer): Route['accept'] =>
    async (req) => {
      const id = req.params[0] ?? '';
      const mail = await read(mails, id);
      return mail ? show(id, mail) : missing;
    };
  return [
    get('/mailbox.json', async (req) => {
      const to = req.query.get('to')?.toLowerCase();
      const all = await list();
      const found = all.filter((mail) => to === undefined || mail.to.some((one) => one.toLowerCase() === to));
      return { status: 200, body: { mails: found } };
    }),
    get('/mailbox', async () => listPage(await list())),
    get('/mailbox/:id', shown(mailPage)),
    get(
      '/mailbox/:id/html',
      shown((_id, mail) => htmlPart(mail)),
    ),
  ];
}
