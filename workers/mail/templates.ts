// What each mail says, as data: words and links, no markup. layout.ts turns it into HTML and text and escapes all of it.
import type { z } from 'zod';
import type { email } from '../../queues/email.ts';
import { reportDays } from '../../queues/reports.ts';

export type SendEmail = z.output<(typeof email.jobs)['send-email']['payload']>;
type Template = SendEmail['template'];
type Variables<Name extends Template> = Extract<SendEmail, { template: Name }>['variables'];

export interface Content {
  subject: string;
  heading: string;
  /** Address of a picture above the text. */
  image?: string;
  paragraphs: readonly string[];
  /** Each is a button in HTML and a line of its own in text. */
  links: readonly { label: string; url: string }[];
  footer: string;
}

const footer = 'You get this mail because of something you asked Storytime for.';
const ignore = 'If this was not you, ignore this mail; nothing will change.';

const hours = (count: number): string => (count === 1 ? 'one hour' : `${count} hours`);

const templates: { [Name in Template]: (variables: Variables<Name>) => Content } = {
  welcome: ({ name, link }) => ({
    subject: `Welcome to Storytime, ${name}`,
    heading: `Welcome, ${name}`,
    paragraphs: ['Your first bedtime story is one wish away: a name, an age and a theme are enough.'],
    links: [{ label: 'Make a story', url: link }],
    footer,
  }),
  'verify-email': ({ name, link, validHours }) => ({
    subject: 'Confirm your e-mail address',
    heading: `Hello ${name}`,
    paragraphs: [`Please confirm that this address is yours. The link works for ${hours(validHours)}.`],
    links: [{ label: 'Confirm the address', url: link }],
    footer: ignore,
  }),
  'reset-password': ({ name, link, validHours }) => ({
    subject: 'Choose a new password',
    heading: `Hello ${name}`,
    paragraphs: [
      `Somebody asked for a new password for your account. The link works for ${hours(validHours)}.`,
    ],
    links: [{ label: 'Choose a new password', url: link }],
    footer: ignore,
  }),
  'story-ready': ({ childName, title, degraded, coverUrl, narrationUrl }) => ({
    subject: `${title} is ready`,
    heading: title,
    ...(coverUrl !== undefined && { image: coverUrl }),
    paragraphs: [
      `The story for ${childName} is ready to be read.`,
      ...(degraded
        ? ['A part of it could not be made this time, so a picture or the narration is missing.']
        : []),
    ],
    links: [
      ...(narrationUrl === undefined ? [] : [{ label: 'Listen to the story', url: narrationUrl }]),
      ...(coverUrl === undefined ? [] : [{ label: 'See the cover', url: coverUrl }]),
    ],
    footer,
  }),
  'report-ready': ({ report, from, to, rows, link }) => ({
    subject: `Report ready: ${report}`,
    heading: `Your report: ${report}`,
    paragraphs: [
      `From ${from} until ${to}: ${rows} ${rows === 1 ? 'row' : 'rows'}. The link works for ${reportDays} days.`,
    ],
    links: [{ label: 'Download the report', url: link }],
    footer,
  }),
  digest: ({ name, period, stories }) => ({
    subject: `Your stories: ${period}`,
    heading: `Hello ${name}`,
    paragraphs: [`${period}: ${stories.length === 1 ? 'one new story' : `${stories.length} new stories`}.`],
    links: stories.map(({ title, link }) => ({ label: title, url: link })),
    footer,
  }),
};

/** The content of one mail. */
export function contentOf(mail: SendEmail): Content {
  const write = templates[mail.template] as (variables: SendEmail['variables']) => Content;
  return write(mail.variables);
}
