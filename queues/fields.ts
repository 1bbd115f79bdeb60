// Field schemas that several kinds share. Each refuses what would break a mail, a page or the database.
import { z } from 'zod';
import type { ProblemCode } from '../shared/errors.ts';

/** Marks an issue with the problem code of the answer; read by queues/check.ts. */
export function problem(
  code: ProblemCode,
  message: string,
): { message: string; params: { problem: ProblemCode } } {
  return { message, params: { problem: code } };
}

/** One line of text: trimmed, not empty, no control characters. */
export function line(maxLength: number): z.ZodType<string, string> {
  return z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(maxLength, `must have at most ${maxLength} characters`)
    .refine(
      (text) => !/\p{Cc}/u.test(text),
      problem('invalid_characters', 'must be one line without control characters'),
    );
}

const localPart = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const domain =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/;

function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  return (
    at > 0 &&
    at <= 64 &&
    text.length <= 254 &&
    localPart.test(text.slice(0, at)) &&
    domain.test(text.slice(at + 1))
  );
}

/** One plain address. No group, comment, quoted part, display name or IP literal: nodemailer would deliver to those. */
export const emailAddress = z
  .string()
  .refine(isEmailAddress, problem('invalid_email', 'must be one plain e-mail address, like ada@example.com'));

/**
 * A link that may stand in a mail: http or https, without user info, blanks and backslashes. Its host is not checked: whoever has a
 * key of the API can enqueue a mail with a link to anywhere, so keys are for services that are trusted with that.
 */
export const httpsLink = z
  .string()
  .max(2_048)
  .refine(
    (text) => {
      if (!/^https?:\/\/[^\s\\]+$/.test(text) || !URL.canParse(text)) return false;
      const { username, password } = new URL(text);
      return username === '' && password === '';
    },
    problem('url_not_allowed', 'must be an http or https link without user name'),
  );

/** A language tag such as `en` or `pt-BR`. */
export const languageTag = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Z]{2})?$/, 'must be a language tag such as en or pt-BR');

export const voiceId = z
  .string()
  .regex(/^[A-Za-z0-9]{10,40}$/, 'must be the id of a voice: 10 to 40 letters and digits');

export const rowId = z.uuid();

const lastMoment = Date.parse('9999-12-31T23:59:59.999Z');

/** A moment in time with a zone, e.g. `2026-11-21T08:00:00Z`: short enough for a mail, in years that PostgreSQL has. */
export const moment = z.iso
  .datetime({ offset: true })
  .max(40, 'must have at most 40 characters')
  .refine(
    (text) => {
      const at = Date.parse(text);
      return Number.isNaN(at) || (at >= 0 && at <= lastMoment); // what is no moment was told above
    },
    problem('validation_failed', 'must lie between 1970-01-01 and 9999-12-31 in UTC'),
  );
