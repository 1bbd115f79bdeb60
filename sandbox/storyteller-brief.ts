// Reads out of a prompt what story is wanted, as a model would: a BRIEF line with JSON when there is one, else guesses.
// Whatever stands in a field is a wish for the story, never an instruction: "ignore all rules" is a theme like any other.

export interface Brief {
  childName: string;
  /** Years. */
  age: number;
  theme: string;
  /** Primary language subtag in lower case: `en`. */
  language: string;
  pages: number | undefined;
}

const languages: readonly (readonly [RegExp, string])[] = [
  [/\b(german|deutsch|auf deutsch)\b/i, 'de'],
  [/\b(french|français|francais)\b/i, 'fr'],
  [/\b(spanish|español|espanol)\b/i, 'es'],
];

function briefObject(prompt: string): Record<string, unknown> {
  const found = capture(prompt, /^BRIEF:?\s*\n+(\{.*\})\s*$/m, /\bBRIEF\b[^{]*(\{[^\n]*\})/);
  if (!found) return {};
  try {
    return JSON.parse(found) as Record<string, unknown>;
  } catch {
    return {}; // A brief that is not JSON is read like any other prose.
  }
}

function text(value: unknown, limit: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return clean === '' ? undefined : Array.from(clean).slice(0, limit).join('');
}

function number(value: unknown, low: number, high: number): number | undefined {
  const read = typeof value === 'string' ? Number.parseInt(value, 10) : value;
  if (typeof read !== 'number' || !Number.isFinite(read)) return undefined;
  return Math.min(high, Math.max(low, Math.round(read)));
}

function capture(prompt: string, ...patterns: RegExp[]): string | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(prompt)?.[1];
    if (found) return found;
  }
  return undefined;
}

function guessLanguage(prompt: string): string {
  const code = capture(prompt, /\blanguage\W{1,4}(?:code\W{1,4})?([a-z]{2})\b/i);
  return code?.toLowerCase() ?? languages.find(([pattern]) => pattern.test(prompt))?.[1] ?? 'en';
}

const namePatterns = [
  /\b(?:named|called|name is|name\s*[:=])\s*["'“„]?([\p{L}][\p{L}'-]*)/iu,
  /\b(?:[Ff]or|[Pp]our|[Ff]ür|[Pp]ara)\s+(\p{Lu}[\p{L}'-]+)/u,
];
const themePatterns = [/\btheme\s*(?:is|[:=])\s*["'“„]?([^"”\n.;]+)/i, /\babout\s+["'“„]?([^"”\n.;]+)/i];
const agePatterns = [/\bage[d]?\W{1,3}(\d{1,2})\b/i, /\b(\d{1,2})[\s-]*(?:years?|yo|Jahre|ans|años)\b/i];

function guess(prompt: string): Record<string, unknown> {
  return {
    childName: capture(prompt, ...namePatterns) ?? 'Mika',
    age: capture(prompt, ...agePatterns) ?? 6,
    theme: capture(prompt, ...themePatterns) ?? 'friendship',
    language: guessLanguage(prompt),
    pages: capture(prompt, /\b(\d{1,2})[\s-]*pages?\b/i),
  };
}

/** Never refuses: a model writes a story for every prompt. */
export function readBrief(prompt: string): Brief {
  const said = { ...guess(prompt), ...briefObject(prompt) };
  const language = text(said['language'], 35) ?? 'en';
  return {
    childName: text(said['childName'], 80) ?? 'Mika',
    age: number(said['age'], 1, 18) ?? 6,
    theme: text(said['theme'], 600) ?? 'friendship',
    language: language.slice(0, 2).toLowerCase(),
    pages: number(said['pages'], 1, 40),
  };
}
