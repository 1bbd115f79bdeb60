// The words in which Google refuses: google.rpc.Status as JSON, with the details that clients decide by.
import type { Fault } from './faults.ts';
import type { Answer } from './frame.ts';

type Detail = Record<string, unknown> & { '@type': string };

const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

const messages: Readonly<Record<number, string>> = {
  500: 'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  503: 'The model is overloaded. Please try again later.',
  504: 'Deadline expired before operation could complete.',
};

export function refusal(code: number, message: string, details: readonly Detail[] = []): Answer {
  const error = { code, message, status: statusNames[code] ?? 'UNKNOWN' };
  return { status: code, body: { error: details.length > 0 ? { ...error, details } : error } };
}

export function invalidKey(): Answer {
  const message = 'API key not valid. Please pass a valid API key.';
  return refusal(400, message, [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
    { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message },
  ]);
}

export function missingKey(): Answer {
  return refusal(
    403,
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  );
}

/** `field` as Google writes paths: snake_case with indexes, '' for the top of the request. */
export function badFields(violations: readonly { field: string; description: string }[]): Answer {
  const message = violations.map(({ description }) => description).join('\n');
  const fieldViolations = violations.map(({ field, description }) => ({
    ...(field ? { field } : {}),
    description,
  }));
  return refusal(400, message, [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations }]);
}

function exhausted(per: 'Minute' | 'Day', retryDelay: string, model: string): Answer {
  const message =
    'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.';
  const violation = {
    quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
    quotaId: `GenerateRequestsPer${per}PerProjectPerModel-FreeTier`,
    quotaDimensions: { location: 'global', model },
  };
  const help = {
    description: 'Learn more about Gemini API quotas',
    url: 'https://ai.google.dev/gemini-api/docs/rate-limits',
  };
  return refusal(429, message, [
    { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [violation] },
    { '@type': 'type.googleapis.com/google.rpc.Help', links: [help] },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
  ]);
}

/** A fault without a body of its own gets Google's. A retry-after header (seconds) decides RetryInfo, which is where Google puts it. */
export function faultRefusal(fault: Fault, model: string): Answer | undefined {
  if (fault.kind === 'quota') return exhausted('Day', '39283s', model);
  if (fault.kind !== 'status' || fault.body !== undefined) return undefined;
  const headers = fault.headers ?? {};
  const said = Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after')?.[1];
  const { status } = fault;
  const answer =
    status === 429
      ? exhausted('Minute', `${said ?? '17'}s`, model)
      : refusal(status, messages[status] ?? `The request failed with status ${status}.`);
  return { ...answer, headers };
}

export const pageNotFound: Answer = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: '<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That’s an error.</ins>\n',
};
