// Every template says something, and says what is true.
import { expect, test } from '@jest/globals';
import { renderMail } from '../../../workers/mail/layout.ts';
import { contentOf, type SendEmail } from '../../../workers/mail/templates.ts';

const to = 'parent@example.com';
const link = 'https://storytime.example/x';
const mails: SendEmail[] = [
  { template: 'welcome', to, variables: { name: 'Ada', link } },
  { template: 'verify-email', to, variables: { name: 'Ada', link, validHours: 24 } },
  { template: 'reset-password', to, variables: { name: 'Ada', link, validHours: 1 } },
  {
    template: 'story-ready',
    to,
    variables: { childName: 'Ada', title: 'The Fox', degraded: false, coverUrl: link },
  },
  { template: 'report-ready', to, variables: { report: 'costs', from: 'a', to: 'b', rows: 1, link } },
  {
    template: 'digest',
    to,
    variables: { name: 'Ada', period: 'This week', stories: [{ title: 'The Fox', link }] },
  },
];

test.each(mails)('$template has a subject, its link in both parts, and no hole', (mail) => {
  const { subject, html, text } = renderMail(contentOf(mail));
  expect(subject).not.toBe('');
  expect(html).toContain(link);
  expect(text).toContain(link);
  expect(`${subject}${html}${text}`).not.toMatch(/undefined|null|\[object|NaN/);
});

test('a degraded story says that a part is missing, and only then', () => {
  const variables = { childName: 'Ada', title: 'The Fox' };
  const whole = contentOf({ template: 'story-ready', to, variables: { ...variables, degraded: false } });
  const degraded = contentOf({ template: 'story-ready', to, variables: { ...variables, degraded: true } });
  expect(whole.paragraphs.join(' ')).not.toContain('missing');
  expect(degraded.paragraphs.join(' ')).toContain('missing');
  expect(degraded.links).toEqual([]);
});
