// Mail through the real handler and a real SMTP server.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStoryWorld, type StoryWorld } from './story-world.ts';

let world: StoryWorld;
beforeAll(async () => {
  world = await openStoryWorld();
});
afterAll(async () => {
  await world.close();
});

interface Mail {
  id: string;
  messageId: string;
  subject: string;
  text: string;
}

/** The one mail of a job in the sandbox's mailbox, with its HTML part. */
async function mailOf(jobId: string): Promise<Mail & { html: string }> {
  const { mails } = (await (await fetch(`${world.sandbox.url}/mailbox.json`)).json()) as { mails: Mail[] };
  const [mail, ...others] = mails.filter(({ messageId }) => messageId.includes(jobId));
  expect(others).toEqual([]);
  if (mail === undefined) throw new Error('no mail arrived');
  const html = await (await fetch(`${world.sandbox.url}/mailbox/${mail.id}/html`)).text();
  return { ...mail, html };
}

const storyReady = (title: string) => ({
  template: 'story-ready' as const,
  to: 'parent@example.com',
  variables: { childName: 'Ada {{x}}', title, coverUrl: 'https://x.test/cover?a=1&b=2' },
});

test('a mail arrives once, under a message id that follows from its job, and the ledger knows', async () => {
  const title = '</style><script>alert(1)</script> <%= 7 * 7 %>';
  const id = await world.run('send-email', storyReady(title));
  const row = await world.db.prisma.outboundMail.findUniqueOrThrow({ where: { jobId: id } });
  expect(row).toMatchObject({
    tenant: 'acme',
    template: 'story-ready',
    recipient: 'parent@example.com',
    messageId: `${id}.send@mail.storytime.example`,
  });
  const mail = await mailOf(id);
  expect(mail.subject).toBe(`${title} is ready`);
  expect(mail.html).toContain('&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt; &lt;%= 7 * 7 %&gt;');
  expect(mail.html).toContain('https://x.test/cover?a=1&amp;b=2');
  expect(mail.text).toContain(`The story for Ada {{x}} is ready`);
});

test('a server that is busy gets the same mail again, and one arrives', async () => {
  await world.fault('smtp', 'data', { kind: 'smtp', code: 451, at: 'data' }, 1);
  const id = await world.run('send-email', storyReady('The Fox'));
  expect((await mailOf(id)).messageId).toBe(`<${id}.send@mail.storytime.example>`);
});

test('an address that the server refuses for good ends the job', async () => {
  await world.fault('smtp', 'rcpt', { kind: 'smtp', code: 550, at: 'rcpt' }, 1);
  const id = await world.run('send-email', storyReady('The Fox'));
  const job = await world.db.prisma.job.findUniqueOrThrow({ where: { id } });
  expect([job.state, job.errorCode]).toEqual(['dead', 'bad_input']);
  expect(await world.db.prisma.outboundMail.count({ where: { jobId: id } })).toBe(0);
});
