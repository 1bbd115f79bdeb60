// What a mail looks like, and that nothing a person wrote becomes markup.
import { expect, test } from '@jest/globals';
import { renderMail } from '../../../workers/mail/layout.ts';

const content = { subject: 'S', heading: 'H', paragraphs: ['P'], links: [], footer: 'F' };

const tags = (html: string): string[] => html.match(/<[a-z!/][^>]*>/gi) ?? [];
const names = (html: string): string[] => tags(html).map((tag) => tag.split(/[\s>]/)[0] ?? '');

const attacks = [
  '</style><script>alert(1)</script>',
  '{{constructor.constructor("return 1")()}}',
  '<%= it.secret %> <% while (true) {} %>',
  '${7*7}',
  '"><img src=x onerror=alert(1)>',
  "' onclick='x",
  '&lt;b&gt; --> <!-- ]]>',
];

test.each(attacks)('%s is text in every place of a mail', (attack) => {
  const links = [{ label: attack, url: 'https://x.test/a?b="><script>&c=1' }];
  const mail = renderMail({ subject: attack, heading: attack, paragraphs: [attack], links, footer: attack });
  const safe = { ...content, links: [{ label: 'L', url: 'https://x.test' }] };
  expect(names(mail.html)).toEqual(names(renderMail(safe).html));
  expect(mail.html).not.toMatch(/<[^>]*\son\w+\s*=/i);
  expect(mail.text).toContain(attack);
  expect(mail.subject).toBe(attack);
});

test('a subject is one line whatever it is made of', () => {
  const { subject, text } = renderMail({
    ...content,
    subject: 'Ada\r\nBcc: eve@x.test\u0000\u2028\u202Etxt',
    heading: 'a\nb',
  });
  expect(subject).toBe('Ada Bcc: eve@x.test txt');
  expect(text.startsWith('a b\n\n')).toBe(true);
});

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  '//evil.test',
  ' https://x.test',
  'https://x.test/a b',
])('a link to %j is refused', (url) => {
  expect(() => renderMail({ ...content, links: [{ label: 'L', url }] })).toThrow(/not a web address/);
  expect(() => renderMail({ ...content, image: url })).toThrow(/not a web address/);
});

test('a mail has a text part with its links and follows dark mode', () => {
  const mail = renderMail({ ...content, links: [{ label: 'Open', url: 'https://x.test/1' }] });
  expect(mail.text).toBe('H\n\nP\n\nOpen:\nhttps://x.test/1\n\n-- \nF\n\n');
  expect(mail.html).toContain('prefers-color-scheme: dark');
  expect(mail.html).toContain('<a href="https://x.test/1"');
});
