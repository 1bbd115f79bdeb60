// What an SMTP error means. Pure. After the first byte of the message nobody knows whether it was delivered;
// before it a repeat is harmless. The server's prose is not kept: it names the recipient.
import { token, type Diagnosis } from './failure.ts';

interface SmtpError {
  code?: unknown;
  responseCode?: unknown;
  response?: unknown;
  permanent?: unknown;
  /** What was answered: `MAIL FROM`, `RCPT TO`, `DATA`. */
  command?: unknown;
}

/** The session broke; the server said nothing about this mail. */
const broken = new Set(['ESOCKET', 'ECONNECTION', 'ETIMEDOUT', 'EDNS', 'ETLS', 'EPROTOCOL', 'EPROXY']);
const keys = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2']);
/** Our own mail is at fault; ESTREAM ends it without its last line, so the server has dropped it. */
const ours = new Set([
  'ESTREAM',
  'EENVELOPE',
  'EMESSAGE',
  'EMAXRECIPIENTS',
  'EFILEACCESS',
  'EURLACCESS',
  'EREQUIRETLS',
]);

/** `550-5.4.5 Daily user sending limit exceeded`: the status, the enhanced code, the words. */
const parts = /^[45]\d\d[ -]+(?:([45]\.\d{1,3}\.\d{1,3})[ -]+)?(.*)/;
/** How servers begin to say that we may send no more today. */
const openings = [
  'throttling failure: ',
  '(?:your|the|maximum) ',
  '(?:your message can.t be sent because )?(?:you|your account|your tenant)(?:.ve| have| has) (?:reached|exceeded) (?:your|its|the) ',
];
const usedUp = new RegExp(`^(?:${openings.join('|')})?daily (?:[a-z]+ ){0,3}(?:limit|quota)\\b`, 'i');

/**
 * Whether the server takes no more mail from any of us today. Only how the reply begins counts: further on come the recipient's
 * address, the subject, or what the recipient's own server said, and nobody's mail may stop that of all others.
 */
function isUsedUp(response: unknown): boolean {
  const [, code, words = ''] = (typeof response === 'string' && parts.exec(response)) || [];
  return code === '5.4.5' || usedUp.test(words);
}

/**
 * MAIL FROM names nobody but us: a server that refuses it would refuse every mail, until our sender or login is right. 552 is about
 * the size of this one; 530 asks for a login wherever it comes.
 */
function isAboutUs(status: number, command: unknown): boolean {
  return status === 530 || (command === 'MAIL FROM' && status >= 500 && status !== 552);
}

function replyOf(status: number, { response, command }: SmtpError): Diagnosis['code'] {
  if (isUsedUp(response)) return 'quota_exhausted';
  if (status === 421) return 'unavailable';
  if (isAboutUs(status, command)) return 'auth';
  return status < 500 ? 'rate_limited' : 'bad_input';
}

function codeOf(error: SmtpError, begun: boolean): Diagnosis['code'] | undefined {
  const { code, responseCode, permanent } = error;
  if (typeof code !== 'string') return undefined;
  if (keys.has(code)) return permanent === false ? 'unavailable' : 'auth';
  const replied = typeof responseCode === 'number' && responseCode >= 400;
  if (broken.has(code)) return begun && !replied ? 'unknown_outcome' : 'unavailable';
  if (replied) return replyOf(responseCode, error);
  return ours.has(code) ? 'bad_input' : undefined;
}

/** `begun`: whether a byte of the message has left. */
export function diagnoseSmtp(error: unknown, begun: boolean): Diagnosis | undefined {
  const given = Object(error) as SmtpError;
  const { code, responseCode } = given;
  const diagnosed = codeOf(given, begun);
  if (diagnosed === undefined) return undefined;
  return {
    code: diagnosed,
    why: token(code),
    status: typeof responseCode === 'number' ? responseCode : undefined,
  };
}
