// Which mails may be asked for.
import { expect, test } from '@jest/globals';
import { problemOf, refusals } from './refusals.ts';

const variables = { name: 'Ada', link: 'https://storytime.example/start' };
const welcome = { template: 'welcome', to: 'ada@example.com', variables };

test('a mail to one plain address from a known template is accepted', () => {
  expect(refusals('send-email', welcome)).toEqual([]);
});

test.each([
  'b@x.test\r\nBcc: e@e.test',
  'a@x.test, b@x.test',
  'a@x.test;b@x.test',
  'group: a@x.test;',
  'a(comment)@x.test',
  '"a b"@x.test',
  'Ada <a@x.test>',
  'a@[127.0.0.1]',
  `${'a'.repeat(65)}@x.test`,
  `a@${'x.'.repeat(130)}test`,
  'g:'.repeat(20_000),
])('%j is not an address', (to) => {
  expect(refusals('send-email', { ...welcome, to })).toEqual(['/payload/to invalid_email']);
});

test.each(['../../etc/passwd', '__proto__', 'constructor', 'Welcome', ''])(
  '%j is not a template',
  (template) => {
    expect(refusals('send-email', { ...welcome, template })).toEqual(['/payload/template unknown_template']);
  },
);

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  '//evil.test',
  'https://a:b@evil.test',
  'https://x.test/a b',
])('%j is not a link', (link) => {
  const mail = { ...welcome, variables: { ...variables, link } };
  expect(refusals('send-email', mail)).toEqual(['/payload/variables/link url_not_allowed']);
});

test('nobody sends headers, a body, an attachment or a line break', () => {
  for (const field of ['headers', 'html', 'attachments', 'subject', 'cc'])
    expect(refusals('send-email', { ...welcome, [field]: {} })).toEqual([`/payload/${field} unknown_field`]);
  const mail = { ...welcome, variables: { ...variables, name: 'Ada\r\nBcc: x' } };
  expect(refusals('send-email', mail)).toEqual(['/payload/variables/name invalid_characters']);
});

function messages(payload: unknown): string[] {
  return problemOf('send-email', payload)?.errors.map(({ message }) => message) ?? [];
}

test('a field that is mistyped is answered with the one that was meant, at every depth, of the template alone', () => {
  const { to, ...rest } = welcome;
  expect(messages({ ...rest, too: to })).toContain('is not a field here; did you mean to?');
  expect(messages({ ...welcome, variables: { ...variables, nam: 'x', titel: 'x' } })).toEqual([
    'is not a field here; did you mean name?',
    'is not a field here',
  ]);
  const digest = {
    template: 'digest',
    to,
    variables: { name: 'Ada', period: 'May', stories: [] as unknown[] },
  };
  digest.variables.stories.push({ title: 'x', link: variables.link, titel: 'x' });
  expect(messages(digest)).toEqual(['is not a field here; did you mean title?']);
});

test('an address with a NUL is refused for its NUL', () => {
  const problem = problemOf('send-email', { ...welcome, to: 'a\u0000@x.test' });
  expect([problem?.code, problem?.errors.length]).toEqual(['invalid_characters', 1]);
});
