import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect } from '@jest/globals';
import { findRoute, type Answer } from '../../sandbox/frame.ts';
import { mailboxRoutes } from '../../sandbox/mailbox.ts';
import { openMails } from '../../sandbox/smtp-store.ts';

const raw = (subject: string, html: string): Buffer =>
  Buffer.from(
    `From: a@storytime.test\r\nSubject: ${subject}\r\nMessage-ID: <1@storytime.test>\r\n` +
      `Content-Type: text/html; charset=utf-8\r\n\r\n${html}`,
  );

async function open(path: string, mails: ReturnType<typeof openMails>): Promise<Answer> {
  const url = new URL(path, 'http://sandbox');
  const found = findRoute(mailboxRoutes(mails), 'GET', url.pathname);
  if (!found) throw new Error(`no page at ${path}`);
  const req = {
    method: 'GET',
    path,
    query: url.searchParams,
    headers: {},
    body: Buffer.alloc(0),
    step: undefined,
  };
  return found.route.accept({ ...req, params: found.params, requestId: 'x' });
}

/** The page's text. */
async function read(path: string, mails: ReturnType<typeof openMails>): Promise<string> {
  const { body } = await open(path, mails);
  return typeof body === 'string' ? body : '';
}

const newMails = (): ReturnType<typeof openMails> => openMails(mkdtempSync(join(tmpdir(), 'mailbox-')));

test('the mailbox lists the newest mail first, and nothing in a mail becomes markup', async () => {
  const mails = newMails();
  expect((await open('/mailbox', mails)).body).toContain('No mail yet');
  await mails.keep({ from: 'a@b.test', to: ['c@d.test'] }, raw('older', 'x'));
  const id = await mails.keep({ from: 'a@b.test', to: ['c@d.test'] }, raw('<script>alert(1)</script>', 'x'));
  const { headers } = await open('/mailbox', mails);
  const body = await read('/mailbox', mails);
  expect(body).not.toContain('<script');
  expect(body.indexOf('&lt;script')).toBeGreaterThan(0);
  expect(body.indexOf('&lt;script')).toBeLessThan(body.indexOf('older'));
  expect(headers?.['content-security-policy']).toContain("default-src 'none'");
  expect(await read(`/mailbox/${id}`, mails)).not.toContain('<script');
});

test("a mail's own HTML is shown in a sandboxed frame, under a policy without scripts", async () => {
  const mails = newMails();
  const id = await mails.keep({ from: '', to: ['c@d.test'] }, raw('hello', '<p>Hi</p><script>x</script>'));
  expect((await open(`/mailbox/${id}`, mails)).body).toContain(
    `<iframe src="/mailbox/${id}/html" sandbox="allow-popups`,
  );
  const { body, headers } = await open(`/mailbox/${id}/html`, mails);
  expect(body).toContain('<p>Hi</p>');
  expect(headers?.['content-security-policy']).toMatch(/^sandbox .*default-src 'none'/);
});

test('an envelope cannot write headers of its own, and an id that is not one of ours finds nothing', async () => {
  const mails = newMails();
  await mails.keep({ from: 'a@b.test>\r\nSubject: forged\r\nX: <', to: ['c@d.test'] }, raw('real', 'x'));
  const { body } = await open('/mailbox.json', mails);
  expect(body).toMatchObject({ mails: [{ subject: 'real', to: ['c@d.test'] }] });
  expect((await open('/mailbox/..%2F..%2Fetc%2Fpasswd', mails)).status).toBe(404);
});
