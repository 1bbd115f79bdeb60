// Answers to requests that Node's parser could not read, or that took too long to arrive: problem documents, like any other.
// There is no request object here, so the answer is written to the socket itself, and the connection ends.
import type { Duplex } from 'node:stream';
import { Problem, problems, type ProblemCode } from '../shared/errors.ts';
import type { Emit } from '../shared/events.ts';
import { newId } from '../shared/ids.ts';
import { securityHeaders } from './exchange.ts';
import { problemBody, problemHeaders } from './problems.ts';

const codes: Readonly<Record<string, [code: ProblemCode, why: string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'its header block is too large; send fewer or shorter headers'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['invalid_request', 'its chunk extensions are too large; send none'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'it took too long to arrive; send it faster'],
};
const lingerMs = 500;

/** The listener for `clientError`. */
export function answerUnreadable(emit: Emit): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [code, why] = codes[error.code ?? ''] ?? [
      'invalid_request',
      'it is not valid HTTP/1.1; check its framing',
    ];
    const requestId = newId();
    socket.end(rawAnswer(new Problem(code, `the request failed: ${why}`), requestId));
    // What is still arriving is read and dropped for a moment: closing at once could reset the answer away.
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
    const status = problems[code][0];
    emit('http.answered', { method: '', route: 'unreadable', status, durationMs: 0, requestId, code });
  };
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function rawAnswer(problem: Problem, requestId: string): string {
  const body = problemBody(problem, requestId);
  const length = ['Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'];
  const headers = ['X-Request-ID', requestId, ...securityHeaders, ...problemHeaders, ...length];
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : []));
  const { status } = problem;
  return `HTTP/1.1 ${status} ${reasons[status] ?? 'Bad Request'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
