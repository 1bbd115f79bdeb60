// Sends a mail over TLS in a process of its own, which trusts every certificate: `node --import tsx mailer.ts <url>`. Says what
// the server answered, or how it failed, when nothing is left to do.
import { setTimeout as delay } from 'node:timers/promises';
import { createSmtp } from '../../providers/smtp.ts';
import { createGuard } from '../../providers/guard.ts';

// What it tests for would keep it busy for ever.
setTimeout(() => process.exit(1), 20_000).unref();

const { signal } = new AbortController();
const guard = createGuard({
  provider: 'smtp',
  breaker: false,
  timings: { retryBaseMs: 5, retryCapMs: 10, inlineBudgetMs: 100, graceMs: 2_000 },
  emit: () => undefined,
});
const smtp = createSmtp({ url: process.argv[2] ?? '', from: 'stories@storytime.example', guard });
const mail = {
  to: 'mia@example.test',
  subject: 'Ready',
  html: '<p>Mia</p>',
  text: 'Mia',
  messageId: 'job-1@storytime.example',
};
const call = { step: 'job-1:send', signal, afford: () => Promise.resolve(), charge: () => undefined };
const said = await smtp.send(mail, call).then(
  ({ response }) => response,
  (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
);
smtp.close();
while (process.getActiveResourcesInfo().includes('Immediate')) await delay(5);
process.stdout.write(`${said}\n`);
guard.close();
